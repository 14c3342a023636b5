import type { DocumentKind, StoreChange, StoreListener } from "@knib/core";

/** Who wants to hear of changes. */
export class Listeners {
	readonly #entries = new Set<{
		readonly kind: DocumentKind | "all";
		readonly listener: StoreListener;
	}>();

	/** Adds a listener; returns what removes it again. */
	add(kind: DocumentKind | "all", listener: StoreListener): () => void {
		const entry = { kind, listener };
		this.#entries.add(entry);
		return () => {
			this.#entries.delete(entry);
		};
	}

	/** Tells everyone whom it concerns. What one throws reaches the process as an uncaught exception, and nobody else. */
	tell(change: StoreChange): void {
		for (const { kind, listener } of [...this.#entries]) {
			if (kind !== "all" && kind !== change.document.kind) continue;
			try {
				listener(change);
			} catch (thrown) {
				queueMicrotask(() => {
					throw thrown;
				});
			}
		}
	}

	clear(): void {
		this.#entries.clear();
	}
}
