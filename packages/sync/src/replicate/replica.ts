import type { DocumentKind, ReplicaDocument } from "@knib/core";
import type { ReplicaCheckpoint } from "../wire/frames.ts";

/** A page of a replica's log. */
export type ReplicaPage = {
	readonly documents: readonly ReplicaDocument[];
	readonly checkpoint: ReplicaCheckpoint;
	readonly more: boolean;
};

/** This host's copy of all hosts' documents. Documents given to it were judged before. */
export interface Replica {
	/** Names this log; another one after the log was lost. */
	readonly epoch: string;
	/** Merges documents into what is here; durable when it resolves. Those that change nothing are not written. */
	merge(documents: readonly ReplicaDocument[]): Promise<void>;
	/** What was written after the checkpoint, oldest first; from the beginning when it is absent or not of this log. */
	since(
		kind: DocumentKind,
		checkpoint: ReplicaCheckpoint | undefined,
		limit: number,
	): Promise<ReplicaPage>;
	/** All documents of a kind, tombstones too, in the order of their keys. */
	list(kind: DocumentKind): Promise<readonly ReplicaDocument[]>;
	/** What there is of a kind, without tombstones, in one number. */
	digest(kind: DocumentKind): Promise<string>;
	/** How far this host has read a peer's log. */
	checkpoint(peer: string, kind: DocumentKind): Promise<ReplicaCheckpoint | undefined>;
	/** Remembers that; durable when it resolves. */
	keepCheckpoint(peer: string, kind: DocumentKind, checkpoint: ReplicaCheckpoint): Promise<void>;
	/** Tells of every later write, once durable; returns what ends that. */
	subscribe(listener: (kind: DocumentKind) => void): () => void;
	/** Removes tombstones of a kind for good that were written at or before the number in this log, and by the time given. */
	purge(kind: DocumentKind, acknowledged: number, writtenBefore: number): Promise<number>;
}
