/** The oldest version of TLS that is spoken; older ones than 1.2 never are. */
export type TlsVersion = "1.2" | "1.3";

/** Two PEM files, paths absolute. */
export interface CertificateFiles {
  /** The certificate, followed by the chain up to its authority. */
  readonly cert: string;
  /** Its private key, without a passphrase. */
  readonly key: string;
}

/** How a listener speaks TLS. */
export interface ListenTls {
  /** At least one. Clients get the one whose names fit the name they ask for, else the first. */
  readonly certificates: readonly CertificateFiles[];
  readonly minVersion: TlsVersion;
  /** Absent: clients are not asked for a certificate. */
  readonly clientCertificates?: ClientCertificates;
}

export interface ClientCertificates {
  /** PEM file of the authorities whose certificates are accepted, path absolute. */
  readonly ca: string;
  /** False: a client without a certificate is served too. */
  readonly required: boolean;
}

/** One named way to speak TLS to servers. */
export interface ServerTls {
  /** PEM file of the authorities that servers are verified by, path absolute. Absent: the system's. */
  readonly ca?: string;
  /** What the gateway shows servers that ask for a certificate. */
  readonly certificate?: CertificateFiles;
  /** Name asked for (SNI) and verified. Absent: the server's host name, or its address. */
  readonly serverName?: string;
  readonly minVersion: TlsVersion;
}
