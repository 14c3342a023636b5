import { createHash } from "node:crypto";
import { canonicalJson, type ReplicaDocument } from "@knib/core";

/** True when nothing but the fact of its removal is left of a document. */
export const isTombstone = (document: ReplicaDocument): boolean =>
	document.way === "owned" && document.body === null;

/** Without signatures: they follow from what they sign. */
const unsigned = (document: ReplicaDocument): unknown => {
	if (document.way === "owned") return { ...document, sig: "" };
	const fields = Object.fromEntries(
		Object.entries(document.fields).map(([field, registers]) => [
			field,
			registers.map((register) => ({ ...register, sig: "" })),
		]),
	);
	return { ...document, fields };
};

const hashOf = (document: ReplicaDocument): Buffer =>
	createHash("sha256")
		.update(canonicalJson(unsigned(document)))
		.digest();

/** What is held of a kind in one number, kept up to date document by document. Tombstones count for nothing: hosts purge them at different times. */
export class Digest {
	readonly #sum = Buffer.alloc(32);
	readonly #hashes = new Map<string, string>();

	/** True when a document was set under the key. */
	knows(key: string): boolean {
		return this.#hashes.has(key);
	}

	/** The document that is now held under a key. */
	set(key: string, document: ReplicaDocument): void {
		const before = this.#hashes.get(key);
		if (before !== undefined && before !== "") this.#toggle(Buffer.from(before, "latin1"));
		if (isTombstone(document)) {
			this.#hashes.set(key, "");
			return;
		}
		const hash = hashOf(document);
		this.#hashes.set(key, hash.toString("latin1"));
		this.#toggle(hash);
	}

	get hex(): string {
		return this.#sum.toString("hex");
	}

	#toggle(hash: Buffer): void {
		for (const [at, byte] of hash.entries()) this.#sum[at] = (this.#sum[at] ?? 0) ^ byte;
	}
}
