// Whether a document that a peer sent may be merged. Pure: the caller verifies signatures and knows the hosts and the time.
import type { DocumentBody, DocumentKind } from "../store.ts";
import { canonicalJson } from "./canonical-json.ts";
import { isTooFarAhead } from "./hybrid-clock.ts";
import { memberOf } from "./members.ts";
import { normalDocument } from "./merge.ts";
import {
	type OwnedDocument,
	ownedText,
	type ReplicaDocument,
	registerText,
	replicaDocumentSchema,
	type SharedDocument,
} from "./replica-document.ts";
import { bodyOfShared } from "./shared-body.ts";
import { writingWay } from "./writers.ts";

/** A longer document is not merged. */
export const LONGEST_DOCUMENT = 1_048_576;

/** Why a document was not merged. */
export const DROP_REASONS = ["size", "schema", "writer", "clock", "signature"] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export type Judgement =
	| {
			readonly accepted: true;
			readonly document: ReplicaDocument;
			/** Some of it was left out, since nobody here knows its writer yet. */
			readonly isPart?: true;
	  }
	| { readonly accepted: false; readonly reason: DropReason };

/** What a host knows when it judges a document. */
export type Judge = {
	/** True for a host that is or was a member. */
	readonly isKnown: (host: string) => boolean;
	/** True when the host has signed the text. Must not throw. */
	readonly verify: (host: string, text: string, sig: string) => boolean;
	readonly wallMs: number;
	/** True for a document that is here already as it is: it was judged when it came. */
	readonly isHeld?: (document: ReplicaDocument) => boolean;
	/** False for a host that may only look: it writes no shared documents. */
	readonly maySetPolicy?: (host: string) => boolean;
	/** False when the body of a kind is not what this knib understands. */
	readonly fits?: (kind: DocumentKind, id: string, body: DocumentBody) => boolean;
};

const judgeOwned = (document: OwnedDocument, judge: Judge): DropReason | undefined => {
	const way = writingWay(document.kind);
	if (way === "shared" || !judge.isKnown(document.owner)) return "writer";
	if (way === "once" && document.ver !== (document.body === null ? 2 : 1)) return "writer";
	if (!judge.verify(document.owner, ownedText(document), document.sig)) return "signature";
	return undefined;
};

const judgeShared = (document: SharedDocument, judge: Judge): DropReason | undefined => {
	if (writingWay(document.kind) !== "shared") return "writer";
	const all = Object.entries(document.fields).flatMap(([field, registers]) =>
		registers.map((register) => ({ field, register })),
	);
	const mayWrite = (host: string): boolean =>
		judge.isKnown(host) && judge.maySetPolicy?.(host) !== false;
	// A host says itself how it is called and where it listens, once a member has introduced it or it is one.
	const about = document.kind === "setting" ? memberOf(document.id) : undefined;
	const isOwn = (host: string): boolean => host === about;
	const introduced = about !== undefined && judge.isKnown(about);
	const others = all.filter(({ register }) => !isOwn(register.writer));
	if (!others.every(({ register }) => mayWrite(register.writer))) return "writer";
	if (about !== undefined && others.length === 0 && !introduced) return "writer";
	if (all.some(({ register }) => isTooFarAhead(register.hlc, judge.wallMs))) return "clock";
	const isSigned = all.every(({ field, register }) =>
		judge.verify(register.writer, registerText(document, field, register), register.sig),
	);
	return isSigned ? undefined : "signature";
};

/**
 * The document without the registers of hosts that are not known here. Of documents about members only: they make hosts known, and two of
 * them may have been written by each other's hosts.
 */
const knownPart = (document: SharedDocument, judge: Judge): SharedDocument => {
	const about = document.kind === "setting" ? memberOf(document.id) : undefined;
	if (about === undefined) return document;
	const fields = Object.entries(document.fields).flatMap(([field, registers]) => {
		const known = registers.filter(({ writer }) => writer === about || judge.isKnown(writer));
		return known.length === 0 ? [] : [[field, known] as const];
	});
	return { ...document, fields: Object.fromEntries(fields) };
};

const countOf = ({ fields }: SharedDocument): number => Object.values(fields).flat().length;

const textOf = (raw: unknown): string | undefined => {
	try {
		return canonicalJson(raw);
	} catch (thrown) {
		if (thrown instanceof TypeError) return undefined;
		throw thrown;
	}
};

/** Judges what a peer sent as a document; never throws on any JSON. */
export const judgeDocument = (raw: unknown, judge: Judge): Judgement => {
	const text = textOf(raw);
	if (text === undefined) return { accepted: false, reason: "schema" };
	if (text.length > LONGEST_DOCUMENT) return { accepted: false, reason: "size" };
	const parsed = replicaDocumentSchema.safeParse(raw);
	if (!parsed.success) return { accepted: false, reason: "schema" };
	const whole = parsed.data;
	if (judge.isHeld?.(whole) === true) return { accepted: true, document: whole };
	const document = whole.way === "shared" ? knownPart(whole, judge) : whole;
	const reason =
		document.way === "owned" ? judgeOwned(document, judge) : judgeShared(document, judge);
	if (reason !== undefined) return { accepted: false, reason };
	const normal = normalDocument(document);
	const body = normal.way === "owned" ? normal.body : (bodyOfShared(normal) ?? null);
	if (body !== null && judge.fits?.(normal.kind, normal.id, body) === false) {
		return { accepted: false, reason: "schema" };
	}
	const isPart =
		whole.way === "shared" && document.way === "shared" && countOf(document) < countOf(whole);
	return { accepted: true, document: normal, ...(isPart ? { isPart } : {}) };
};
