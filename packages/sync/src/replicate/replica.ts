import type { DocumentKind, ReplicaDocument } from "@knib/core";
import type { ReplicaCheckpoint } from "../wire/frames.ts";

/** A page of a replica's log. */
export type ReplicaPage = {
	readonly documents: readonly ReplicaDocument[];
	readonly checkpoint: ReplicaCheckpoint;
	readonly more: boolean;
};

/** How far a peer's log of a kind was read. */
export type ReadSoFar = {
	readonly peer: string;
	readonly kind: DocumentKind;
	readonly checkpoint: ReplicaCheckpoint;
};

/** What a reader of a log does not have yet. */
export type Lag = {
	readonly documents: number;
	/** When the oldest of them was written, milliseconds of the wall clock; null when there is none. */
	readonly oldestAt: number | null;
};

/** This host's copy of all hosts' documents. Documents given to it were judged before. */
export interface Replica {
	/** Names this log; another one after the log was lost. */
	readonly epoch: string;
	/** Merges documents into what is here; durable when it resolves. Those that change nothing are not written. `read` is remembered with them, or with none of them. */
	merge(documents: readonly ReplicaDocument[], read?: ReadSoFar): Promise<void>;
	/** True for a document that is here just so, signatures and all. */
	holds(document: ReplicaDocument): boolean;
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
	/** What a reader that has come so far does not have yet. */
	lag(kind: DocumentKind, seq: number): Lag;
	/** Tells of every later write, once durable; returns what ends that. */
	subscribe(listener: (kind: DocumentKind) => void): () => void;
	/** Removes tombstones of a kind for good that were written at or before the number in this log, and by the time given. */
	purge(kind: DocumentKind, acknowledged: number, writtenBefore: number): Promise<number>;
}
