import { createHash } from "node:crypto";
import { canonicalJson, type ReplicaDocument } from "@knib/core";

const EMPTY = Buffer.alloc(32);

/** True when nothing but the fact of its removal is left of a document. */
export const isTombstone = (document: ReplicaDocument): boolean =>
	document.way === "owned" && document.body === null;

/** What is held of a kind in one number, kept up to date document by document. Tombstones count for nothing: hosts purge them at different times. */
export class Digest {
	readonly #sum = Buffer.from(EMPTY);

	/** Replaces a document by another; either may be missing. */
	replace(before: ReplicaDocument | undefined, after: ReplicaDocument | undefined): void {
		this.#toggle(before);
		this.#toggle(after);
	}

	get hex(): string {
		return this.#sum.toString("hex");
	}

	#toggle(document: ReplicaDocument | undefined): void {
		if (document === undefined || isTombstone(document)) return;
		const hash = createHash("sha256").update(canonicalJson(document)).digest();
		for (const [at, byte] of hash.entries()) this.#sum[at] = (this.#sum[at] ?? 0) ^ byte;
	}
}
