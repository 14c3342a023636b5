// Typed documents over the store: one kind each, the body checked by its schema when read.
import { type DocumentKind, KnibError, type Store } from "@knib/core";
import { z } from "zod";

/** The documents of one kind that this host keeps. Rejects with STORE_* codes; a document that does not fit its schema is a rejection, never left out in silence (I10). */
export interface Documents<T> {
	all(): Promise<readonly T[]>;
	/** Those that other hosts own; one that this knib does not understand is left out, since its owner may be newer. */
	foreign(): Promise<readonly T[]>;
	get(id: string): Promise<T | undefined>;
	/** Creates or replaces them, all or none; durable when it resolves. */
	put(...bodies: readonly T[]): Promise<void>;
	remove(ids: readonly string[]): Promise<void>;
}

/** Where two things share one kind, since a store has room for so many (DESIGN 6): one of them has a prefix before its ids, which its bodies do not know. */
type Part = { readonly prefix: string; readonly own: boolean };

/** The documents of one kind in a store, or of its `part`. */
export const storeDocuments = <T extends { readonly id: string }>(
	store: Store,
	kind: DocumentKind,
	schema: z.ZodType<T>,
	part?: Part,
): Documents<T> => {
	const place = part?.own === true ? part.prefix : "";
	const isOfPart = ({ id }: { readonly id: string }): boolean =>
		part === undefined || id.startsWith(part.prefix) === part.own;
	// The store hands out the same body until it is written anew, and checking ten thousand takes a quarter of a second.
	const checked = new WeakMap<object, T>();
	const check = (body: object): T | z.ZodError => {
		const known = checked.get(body);
		if (known !== undefined) return known;
		const result = schema.safeParse(body);
		if (result.success) checked.set(body, result.data);
		return result.success ? result.data : result.error;
	};
	const parse = (id: string, body: object): T => {
		const found = check(body);
		if (!(found instanceof z.ZodError)) return found;
		throw new KnibError("STORE_FAILED", `the stored ${kind} ${id} cannot be understood`, {
			cause: found,
			details: { kind, id },
		});
	};
	return {
		all: async () =>
			(await store.list(kind)).filter(isOfPart).map(({ id, body }) => parse(id, body)),
		foreign: async () =>
			(await store.foreign(kind)).filter(isOfPart).flatMap(({ body }) => {
				const found = check(body);
				return found instanceof z.ZodError ? [] : [found];
			}),
		get: async (id) => {
			const found = await store.get(kind, `${place}${id}`);
			return found === undefined ? undefined : parse(id, found.body);
		},
		put: async (...bodies) => {
			if (bodies.length === 0) return;
			await store.putMany(
				kind,
				bodies.map((body) => ({ id: `${place}${body.id}`, body: { ...body } })),
			);
		},
		remove: async (ids) => {
			for (const id of ids) await store.remove(kind, `${place}${id}`);
		},
	};
};
