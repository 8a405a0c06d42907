/** What selection may know of the client of one request. Fields are looked up only when a rule asks. */
export interface Client {
  /** Canonical text of the client's address; IPv4-mapped IPv6 written as IPv4. */
  readonly address: string;
  /** `name` in lower case. */
  header(name: string): string | undefined;
  cookie(name: string): string | undefined;
}
