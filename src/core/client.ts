/** What a rule may ask of a client's certificate: attributes of its subject, and entries of its subjectAltName. */
export const CERTIFICATE_ATTRIBUTES = ["CN", "O", "OU", "emailAddress", "san"] as const;
export type CertificateAttribute = (typeof CERTIFICATE_ATTRIBUTES)[number];

/** What selection may know of the client of one request. Fields are looked up only when a rule asks. */
export interface Client {
  /** Canonical text of the client's address; IPv4-mapped IPv6 written as IPv4. */
  readonly address: string;
  /** `name` in lower case. */
  header(name: string): string | undefined;
  cookie(name: string): string | undefined;
  /** All values of the attribute in the client's verified certificate; none without one. */
  certificate(attribute: CertificateAttribute): readonly string[];
}
