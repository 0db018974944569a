/** What a feed may cost to read, so that a hostile or broken one costs no more. */
export interface FeedLimits {
  /** Of one document, unpacked. */
  documentBytes: number;
  /** Of all documents and of the archives they lie in, unpacked. */
  totalBytes: number;
  /** Of unpacked to packed bytes, beyond what a small file may do. */
  ratio: number;
  /** Documents. */
  entries: number;
}

/** Several times what the largest feed has: Red Hat's archive of VEX documents, and Debian's tracker in one document. */
export const feedLimits: FeedLimits = {
  documentBytes: 1024 ** 3,
  totalBytes: 64 * 1024 ** 3,
  ratio: 500,
  entries: 2_000_000,
};

/** Zeros and blanks of small files are packed well without meaning harm. */
const ratioAppliesFrom = 16 * 1024 ** 2;

/** What is left of the limits on a feed as a whole. */
export interface Budget {
  limits: FeedLimits;
  bytes: number;
  entries: number;
  /** Over the limit on the feed as a whole: there is no going on with its next file. */
  spent: boolean;
}

export const newBudget = (limits: FeedLimits): Budget => ({
  ...{ limits, bytes: 0, entries: 0, spent: false },
});

export const countEntry = (budget: Budget): void => {
  budget.entries += 1;
  if (budget.entries <= budget.limits.entries) return;
  budget.spent = true;
  throw new Error(`the feed has more than ${budget.limits.entries} documents`);
};

/** Passes bytes on, and tells how many they are so far. */
export const counted = async function* (
  bytes: AsyncIterable<Uint8Array>,
  count: { bytes: number },
): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    count.bytes += piece.length;
    yield piece;
  }
};

/** Passes unpacked bytes on as long as they are within the limits on the feed and on the ratio to the packed ones. */
export const withinBudget = async function* (
  bytes: AsyncIterable<Uint8Array>,
  packed: { readonly bytes: number },
  budget: Budget,
): AsyncGenerator<Uint8Array> {
  const { ratio, totalBytes } = budget.limits;
  let size = 0;
  for await (const piece of bytes) {
    size += piece.length;
    budget.bytes += piece.length;
    if (budget.bytes > totalBytes) {
      budget.spent = true;
      throw new Error(`the feed has more than ${totalBytes} bytes`);
    }
    if (size > ratioAppliesFrom && size > packed.bytes * ratio)
      throw new Error(`${packed.bytes} bytes are packed so that they become more than ${size}`);
    yield piece;
  }
};

/** Passes the bytes of one document on as long as they are within the limit on one. */
export const withinDocument = async function* (
  bytes: AsyncIterable<Uint8Array>,
  { documentBytes }: FeedLimits,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const piece of bytes) {
    size += piece.length;
    if (size > documentBytes) throw new Error(`it has more than ${documentBytes} bytes`);
    yield piece;
  }
};
