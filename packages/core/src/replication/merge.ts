// Merging two versions of a document: the same on every host, in whatever order and however often they come.
import { canonicalJson } from "./canonical-json.ts";
import type {
	OwnedDocument,
	Register,
	ReplicaDocument,
	SharedDocument,
} from "./replica-document.ts";

const rank = ({ hlc, writer }: Register): string => `${hlc}/${writer}`;

/** Descending; registers of equal rank (a writer whose store was restored) by their text. */
const byRank = (a: Register, b: Register): number => {
	const [left, right] = [rank(a), rank(b)];
	if (left !== right) return left < right ? 1 : -1;
	return canonicalJson(a) < canonicalJson(b) ? 1 : -1;
};

const hasSeen = (later: Register, { writer, hlc }: Register): boolean => {
	const seen = Object.hasOwn(later.seen, writer) ? later.seen[writer] : undefined;
	return seen !== undefined && seen >= hlc;
};

/** What remains of the registers of one field: those that no other has seen, one a writer, greatest first. */
export const mergeRegisters = (registers: readonly Register[]): Register[] => {
	const latest = new Map<string, Register>();
	for (const register of registers.toSorted(byRank)) {
		if (!latest.has(register.writer)) latest.set(register.writer, register);
	}
	const kept = [...latest.values()];
	return kept.filter((register) => !kept.some((o) => o !== register && hasSeen(o, register)));
};

const mergeShared = (a: SharedDocument, b: SharedDocument): SharedDocument => {
	const fields = new Map(Object.entries(a.fields));
	for (const [name, registers] of Object.entries(b.fields)) {
		fields.set(name, mergeRegisters([...(fields.get(name) ?? []), ...registers]));
	}
	return { ...a, fields: Object.fromEntries(fields) };
};

const greaterOwned = (a: OwnedDocument, b: OwnedDocument): OwnedDocument => {
	if (a.ver !== b.ver) return a.ver > b.ver ? a : b;
	return canonicalJson(a) >= canonicalJson(b) ? a : b;
};

/** Brings a document that came alone into the form in which replicas keep it. */
export const normalDocument = (document: ReplicaDocument): ReplicaDocument =>
	document.way === "owned"
		? document
		: { ...document, fields: mergeShared({ ...document, fields: {} }, document).fields };

/** The document that two versions make. It commutes, associates and is idempotent on documents in their normal form. Throws TypeError when they are not of one key. */
export const mergeDocuments = (a: ReplicaDocument, b: ReplicaDocument): ReplicaDocument => {
	if (a.way === "owned" && b.way === "owned") return greaterOwned(a, b);
	if (a.way === "shared" && b.way === "shared") return mergeShared(a, b);
	throw new TypeError(`${a.kind} ${a.id} is written in two ways`);
};

/** True when two different contents claim the same version of one owner: its store was restored from an old copy, or its key is used twice. */
export const isForked = (a: ReplicaDocument, b: ReplicaDocument): boolean =>
	a.way === "owned" &&
	b.way === "owned" &&
	a.ver === b.ver &&
	canonicalJson(a.body) !== canonicalJson(b.body);
