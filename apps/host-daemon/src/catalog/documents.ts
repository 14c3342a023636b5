// Typed documents over the store: one kind each, the body checked by its schema when read.

/** The documents of one kind that this host keeps. Rejects with STORE_* codes; a document that does not fit its schema is a rejection, never left out in silence (I10). */
export interface Documents<T> {
	all(): Promise<readonly T[]>;
	get(id: string): Promise<T | undefined>;
	/** Creates or replaces them, all or none; durable when it resolves. */
	put(...bodies: readonly T[]): Promise<void>;
	remove(ids: readonly string[]): Promise<void>;
}
