/** Something that the operator can mend: shown as one line with its remedy, without a stack. */
export class ProvisionError extends Error {
  override name = 'ProvisionError';
}
