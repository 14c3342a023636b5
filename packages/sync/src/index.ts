// The public surface of the sync package, by hand: what is not listed here is private to it.
export { certifiedHost, createCertificate } from "./link/certificate.ts";
export { type DialOptions, dialPeer, isDialer, keepDialing, pauseMs } from "./link/dial.ts";
export {
	firstKey,
	type HostKey,
	nextKey,
	type ProvenKey,
	proveSuccession,
} from "./link/host-key.ts";
export type { Link, LinkListener } from "./link/link.ts";
export { type Listener, type ListenOptions, listenForPeers } from "./link/listen.ts";
export { type Carrier, createMemoryLink } from "./link/memory-link.ts";
export { askToPair, type PairOptions } from "./link/pairing.ts";
export {
	type PairingCode,
	readPairingCode,
	splitAddress,
	writePairingCode,
} from "./link/pairing-code.ts";
export { createSigner, createVerifier } from "./link/signing.ts";
export type { KeyRules } from "./link/tls.ts";
export { createMemoryReplica } from "./replicate/memory-replica.ts";
export { createMesh, type Mesh, type MeshDeps, TOMBSTONE_AGE_MS } from "./replicate/mesh.ts";
export type { Lag, ReadSoFar, Replica, ReplicaPage } from "./replicate/replica.ts";
export { openStoreLog } from "./storage/lazy-store-log.ts";
export type { LogBackend, LogBatch, LogEntry, LogPut, OpenLog } from "./storage/log-backend.ts";
export { createMemoryStore } from "./storage/memory-store.ts";
export { openRxStore, type RxStore, type RxStoreOptions } from "./storage/rx-store.ts";
export { type Frame, LONGEST_FRAME, parseFrame, type ReplicaCheckpoint } from "./wire/frames.ts";
export type { Live, LiveHandler } from "./wire/live.ts";
export type { PeerCounts } from "./wire/peer-counts.ts";
