import { type ReplicaDocument, replicaKey } from "@knib/core";

/** Versions remembered for each link. */
const KEPT = 5000;

const versionOf = (document: ReplicaDocument): string =>
	document.way === "owned"
		? String(document.ver)
		: Object.entries(document.fields)
				.map(([field, all]) => `${field}=${all.map(({ hlc, writer }) => hlc + writer).join()}`)
				.sort()
				.join();

/** What came over a link lately, so that it is not sent back over it. */
export class Received {
	readonly #versions = new Map<string, string>();

	note(documents: readonly ReplicaDocument[]): void {
		for (const document of documents) {
			const key = replicaKey(document);
			this.#versions.delete(key);
			this.#versions.set(key, versionOf(document));
		}
		for (const key of this.#versions.keys()) {
			if (this.#versions.size <= KEPT) break;
			this.#versions.delete(key);
		}
	}

	/** True when just this version came over the link. */
	has(document: ReplicaDocument): boolean {
		return this.#versions.get(replicaKey(document)) === versionOf(document);
	}
}
