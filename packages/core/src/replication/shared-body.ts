// What a shared document says as one body, and how a body is taken apart into fields that merge one by one.
import type { DocumentBody, DocumentKind } from "../store.ts";
import { sharedBody } from "./edit-shared.ts";
import type { SharedDocument } from "./replica-document.ts";

/** The field that says that a document was removed. */
export const REMOVED_FIELD = "knib:removed";

/** Members of a body whose own members are fields, so that hosts may set different ones at once. */
const SPREAD: Readonly<Partial<Record<DocumentKind, string>>> = { setting: "values" };

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
	typeof value === "object" && value !== null && !Array.isArray(value);

/** The fields of a body: one a member, or one a member of the member that is spread. */
export const fieldsOfBody = (
	kind: DocumentKind,
	body: DocumentBody,
): Readonly<Record<string, unknown>> => {
	const spread = SPREAD[kind];
	return Object.fromEntries(
		Object.entries(body)
			.filter(([, value]) => value !== null && value !== undefined)
			.flatMap(([name, value]): readonly (readonly [string, unknown])[] =>
				name === spread && isRecord(value)
					? Object.entries(value).map(([inner, one]) => [`${name}:${inner}`, one])
					: [[name, value]],
			),
	);
};

/** The body that a document says; undefined when it was removed. */
export const bodyOfShared = (document: SharedDocument): DocumentBody | undefined => {
	const { [REMOVED_FIELD]: removed, ...fields } = sharedBody(document);
	if (removed === true) return undefined;
	const spread = SPREAD[document.kind];
	if (spread === undefined || !Object.hasOwn(fields, "id")) return fields;
	const prefix = `${spread}:`;
	const own = Object.entries(fields).filter(([name]) => !name.startsWith(prefix));
	const inner = Object.entries(fields).flatMap(([name, value]) =>
		name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
	);
	return { ...Object.fromEntries(own), [spread]: Object.fromEntries(inner) };
};
