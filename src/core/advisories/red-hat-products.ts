/**
 * What Red Hat's products beside the distribution are called in the ids of their repositories, where advisories (by CPE) call them
 * otherwise. Both ways stand in what Red Hat publishes of its repositories (`repository-to-cpe.json`).
 */
const productOf: ReadonlyMap<string, string> = new Map([
  ['advanced-virt', 'advanced-virtualization'],
  ['advanced-virt-crb', 'advanced-virtualization'],
  ['amq-clients', 'a-mq-clients'],
  ['ansible', 'ansible-engine'],
  ['ansible-automation-platform-azure-billing', 'ansible-automation-platform-azure-billing'],
  ['automation-hub', 'ansible-automation-platform'],
  ['aws-lb-optr-tp', 'aws-lb-optr'],
  ['cert', 'certifications'],
  ['certsys', 'certificate-system'],
  ['cf-me', 'cloudforms-managementengine'],
  ['cfme', 'cloudforms-managementengine'],
  ['cnv', 'container-native-virtualization'],
  ['convert2rhel', 'convert2rhel'],
  ['costmanagement', 'cost-management'],
  ['crw', 'codeready-workspaces'],
  ['custom-metrics-autoscaler', 'openshift-custom-metrics-autoscaler'],
  ['dirsrv', 'directory-server'],
  ['dotnet', 'rhel-dotnet'],
  ['dts', 'developer-toolset'],
  ['dvo', 'deployment-validator-operator'],
  ['gitops', 'openshift-gitops'],
  ['interconnect', 'amq-interconnect'],
  ['jb-coreservices', 'jboss-core-services'],
  ['jb-datagrid', 'jboss-data-grid'],
  ['jb-eap', 'jboss-enterprise-application-platform'],
  ['jb-ewp', 'jboss-enterprise-web-platform'],
  ['jb-ews', 'jboss-enterprise-web-server'],
  ['jws', 'jboss-enterprise-web-server'],
  ['kmm', 'kernel-module-management'],
  ['mta', 'migration-toolkit-applications'],
  ['mtv', 'migration-toolkit-virtualization'],
  ['nbde-tang-server', 'network-bound-disk-encryption-tang'],
  ['network-observability', 'network-observ-optr'],
  ['node-obsv-optr-tp', 'node-obsv-optr'],
  ['oadp', 'openshift-api-data-protection'],
  ['openstack-stf', 'service-telemetry-framework'],
  ['ose', 'openshift'],
  ['ossm', 'service-mesh'],
  ['osso', 'openshift-secondary-scheduler'],
  ['pipelines', 'openshift-pipelines'],
  ['rh-gluster', 'storage'],
  ['rh-ocs', 'openshift-container-storage'],
  ['rh-odf', 'openshift-data-foundation'],
  ['rh-sso', 'red-hat-single-sign-on'],
  ['rhacm', 'acm'],
  ['rhacs', 'advanced-cluster-security'],
  ['rhceph', 'ceph-storage'],
  ['rhcmsys', 'certificate-system'],
  ['rhds', 'directory-server'],
  ['rhmtc', 'rhmt'],
  ['rhmtv', 'migration-toolkit-virtualization'],
  ['rhoam', 'openshift-api-management'],
  ['rhoar-nodejs', 'openshift-application-runtimes'],
  ['rhocp', 'openshift'],
  ['rhocp-ironic', 'openshift-ironic'],
  ['rhodo', 'openshift-do'],
  ['rhods', 'openshift-data-science'],
  ['rhol', 'logging'],
  ['rhosdt', 'openshift-distributed-tracing'],
  ['rhosj', 'jaeger'],
  ['rhpib', 'plugin-backstage'],
  ['rhs', 'storage'],
  ['rhscl', 'rhel-software-collections'],
  ['rhv', 'rhev-manager'],
  ['rhwa', 'workload-availability'],
  ['rhwa-far', 'workload-availability-fence-agents-remediation'],
  ['rhwa-mdr', 'workload-availability-machine-deletion-remediation'],
  ['rhwa-nhc', 'workload-availability-node-healthcheck'],
  ['rhwa-nmo', 'workload-availability-node-maintenance'],
  ['rhwa-snr', 'workload-availability-self-node-remediation'],
  ['rodoo', 'run-once-duration-override-operator'],
  ['rosa', 'openshift-service-on-aws'],
  ['satellite-client', 'rhel-satellite-client'],
  ['satellite-tools', 'rhel-satellite-tools'],
]);

/** Of these the repositories have numbers of their own, which are no versions of the product. */
const otherwiseNumbered: ReadonlySet<string> = new Set([
  ...['osso', 'rhoar-nodejs', 'rhods', 'rhwa-far', 'rhwa-mdr', 'rhwa-nhc', 'rhwa-nmo', 'rhwa-snr'],
]);

/** The channel of a product, by its name and version in a CPE: `ceph_storage`, `6.1`. */
export const productChannel = (product: string, version: string | undefined): string =>
  `${product.replaceAll('_', '-')}${version === undefined ? '' : `-${version}`}`;

/** `rhceph-6-tools-for-rhel-9-…`, and of RHEL 7 `rhel-7-server-ose-3.11-rpms`, `rhel-server-rhscl-7-rpms`. */
const forms: readonly RegExp[] = [
  /^([a-z][a-z0-9-]*?)-(\d[\d.]*)(?:-[a-z0-9-]+?)?-for-rhel-\d/,
  /^([a-z][a-z0-9-]*?)-for-rhel-\d/,
  /^rhel-7-server-(?:(?:aus|e4s|eus|tus)-)?([a-z][a-z0-9-]*?)-(\d[\d.]*)(?:-[a-z0-9-]+)?-rpms/,
  /^rhel-(?:7-)?server-(rhscl|dts|dotnet)-/,
];

/** Hosts say them, and longer ones are none of Red Hat's. */
const longestId = 200;

/** The channel of the product whose repository that is; null: it is the distribution's own, or none that is known. */
export const productOfRepository = (id: string): string | null => {
  if (id.length > longestId) return null;
  for (const form of forms) {
    const [, name, version] = form.exec(id) ?? [];
    if (name === undefined) continue;
    const product = productOf.get(name);
    // Without a version it may also be a part of the distribution: `codeready-builder-for-rhel-9-…`.
    if (version === undefined && product === undefined) return null;
    return productChannel(product ?? name, otherwiseNumbered.has(name) ? undefined : version);
  }
  return null;
};

/** `ceph-storage-6.1` in parts. */
const partsOf = (channel: string): [name: string, version: string | null] => {
  const [, name, version] = /^(.+?)-(\d[\d.]*)$/.exec(channel) ?? [];
  return name === undefined || version === undefined ? [channel, null] : [name, version];
};

/**
 * Whether a host with one channel gets what comes through the other: repositories are of a version as a whole
 * (`rhceph-6-tools`) where advisories name a minor one (`ceph_storage:6.1`), or the other way.
 */
export const isSameProduct = (one: string, other: string): boolean => {
  const [[name, version], [otherName, otherVersion]] = [partsOf(one), partsOf(other)];
  if (name !== otherName) return false;
  if (version === null || otherVersion === null || version === otherVersion) return true;
  return version.startsWith(`${otherVersion}.`) || otherVersion.startsWith(`${version}.`);
};
