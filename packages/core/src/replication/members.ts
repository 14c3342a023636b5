// Who belongs to the mesh and may do what, as one host sees it: read from the shared documents of the members, believing about
// roles only those who may give them.
import { z } from "zod";
import { hostIdSchema, type Register, type SharedDocument } from "./replica-document.ts";
import { keyNumber, splitSignature } from "./succession.ts";

/** What a host may ask of the others: look; ask for jobs and change policy; also give roles, invite and remove. */
export const roleSchema = z.enum(["viewer", "operator", "admin"]);
export type Role = z.infer<typeof roleSchema>;

const PREFIX = "peer:";
const instantSchema = z.iso.datetime();

/** The id of the document, of kind `setting`, that says what is known of a member. */
export const memberDocumentId = (host: string): string => `${PREFIX}${host}`;

/** The host that a document of kind `setting` is about, undefined when it is about none. */
export const memberOf = (documentId: string): string | undefined =>
	documentId.startsWith(PREFIX)
		? hostIdSchema.safeParse(documentId.slice(PREFIX.length)).data
		: undefined;

/** The body of such a document. */
export const memberBodySchema = z.looseObject({
	id: z.string(),
	name: z.string().min(1).max(200).optional(),
	/** HOST:PORT where it listens; absent when it does not. */
	address: z.string().max(300).optional(),
	role: roleSchema.optional(),
	/** When the host took its key in the place of another one; written by itself, so that its signature shows the new one. */
	keySince: z.string().max(100).optional(),
	/** Only ever written as true: a removal is not taken back. */
	removed: z.boolean().optional(),
});

/** A member, or one that was. */
export type Member = {
	readonly id: string;
	readonly name: string;
	readonly address: string | null;
	readonly role: Role;
	readonly removed: boolean;
	readonly keySince: string | null;
	/** The successions of keys by which it has signed what is here about itself, later ones than the first key. */
	readonly successions: readonly string[];
};

const isTrue = ({ value }: Register): boolean => value === true;

const textIn = (registers: readonly Register[] | undefined): string | undefined => {
	const value = registers?.[0]?.value;
	return typeof value === "string" ? value : undefined;
};

type Known = { readonly id: string; readonly fields: SharedDocument["fields"] };

/** The greatest value that an admin other than the host itself has given it. */
const givenRole = (known: Known, admins: ReadonlySet<string>): Role | undefined =>
	(known.fields["role"] ?? [])
		.filter(({ writer }) => writer !== known.id && admins.has(writer))
		.flatMap(({ value }) => roleSchema.safeParse(value).data ?? [])[0];

const byItself = ({ id, fields }: Known, field: string): readonly Register[] =>
	(fields[field] ?? []).filter(({ writer }) => writer === id);

/** By which later keys a host has signed what it says of itself. */
const successionsOf = (known: Known): readonly string[] => {
	const signed = Object.keys(known.fields).flatMap((field) => byItself(known, field));
	const all = signed.flatMap(({ sig }) => splitSignature(sig)?.succession ?? []);
	return [...new Set(all)].filter((one) => keyNumber(one) > 1).sort();
};

const PASSES = 16;

/** The members, this host left out. `anchors` are the hosts whose code this host has joined by: they are admins until another one says otherwise. */
export const membersOf = (
	documents: readonly SharedDocument[],
	self: string,
	anchors: readonly string[],
): {
	readonly others: readonly Member[];
	readonly own: Role;
	/** As those of others: by which keys this host has signed, as the documents have it. */
	readonly ownSuccessions: readonly string[];
} => {
	const known = documents.flatMap(({ id, fields }): readonly Known[] => {
		const host = memberOf(id);
		return host === undefined ? [] : [{ id: host, fields }];
	});
	let admins = new Set([self, ...anchors]);
	const roleOf = (one: Known): Role =>
		givenRole(one, admins) ?? (anchors.includes(one.id) ? "admin" : "viewer");
	for (let pass = 0; pass < PASSES; pass += 1) {
		const next = known.filter((one) => one.id !== self && roleOf(one) === "admin");
		const found = new Set([self, ...next.map(({ id }) => id)]);
		if (found.size === admins.size && [...found].every((id) => admins.has(id))) break;
		admins = found;
	}
	const others = known
		.filter(({ id }) => id !== self)
		.map(
			(one): Member => ({
				id: one.id,
				name: textIn(one.fields["name"]) ?? one.id.slice(0, 8),
				address: textIn(one.fields["address"]) ?? null,
				role: roleOf(one),
				removed: one.fields["removed"]?.some(isTrue) === true,
				keySince: instantSchema.safeParse(textIn(byItself(one, "keySince"))).data ?? null,
				successions: successionsOf(one),
			}),
		)
		.sort((a, b) => (a.id < b.id ? -1 : 1));
	const mine = known.find(({ id }) => id === self);
	return {
		others,
		own: (mine && givenRole(mine, admins)) ?? "admin",
		ownSuccessions: mine === undefined ? [] : successionsOf(mine),
	};
};
