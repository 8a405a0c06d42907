/** Where Debian puts it; HALFTONE_CHROMIUM names another one. */
export const EXECUTABLE: string = process.env["HALFTONE_CHROMIUM"] ?? "/usr/bin/chromium";

/** Nothing of its own goes out to the network, and nothing of it comes by QUIC. */
export const ARGUMENTS: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
