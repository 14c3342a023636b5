// What all connections to and from peers have in common.
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { certifiedHost, createCertificate } from "./certificate.ts";
import type { HostKey, ProvenKey } from "./host-key.ts";

/** What a host goes by when peers show their keys. */
export type KeyRules = {
	/** This host's key of now. */
	readonly key: () => HostKey;
	/** The succession that is known of a host when what it shows is not that and does not go on from it: then it is refused. */
	readonly newerKeys?: (shown: ProvenKey) => string | undefined;
	/** Told what somebody says that the keys of this host are, unproven. */
	readonly onToldKeys?: (succession: string) => void;
};

/** Key and certificate as TLS takes them. */
export const credentials = (key: HostKey) => ({
	key: key.privateKey.export({ type: "pkcs8", format: "pem" }),
	cert: createCertificate(key),
	minVersion: "TLSv1.3" as const,
});

/** The host that the other end of a connection has proven to be. */
export const provenPeer = (socket: Duplex): ProvenKey | undefined =>
	certifiedHost(socket instanceof TLSSocket ? socket.getPeerCertificate()?.raw : undefined);
