import { createHash } from "node:crypto";
import { type Identity, KnibError } from "@knib/core";

const member = ([key, value]: [string, unknown]): string =>
	`${JSON.stringify(key)}:${canonicalJson(value)}`;

/** JSON with one spelling for one value: keys sorted by code unit, no white space, members that are undefined left out (after RFC 8785).
 * Throws INTERNAL for what JSON cannot say. */
export const canonicalJson = (value: unknown): string => {
	if (value === null || typeof value === "boolean" || typeof value === "string") {
		return JSON.stringify(value);
	}
	if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
	if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
	if (typeof value === "object") {
		const members = Object.entries(value)
			.filter(([, inner]) => inner !== undefined)
			.sort(([a], [b]) => (a < b ? -1 : 1));
		return `{${members.map(member).join(",")}}`;
	}
	throw new KnibError("INTERNAL", `JSON cannot say ${String(value)}`);
};

/** SHA-256 in hex over the canonical JSON of an identity: how a child knows its parent (I4, SAFETY F8). */
export const identityDigest = (identity: Identity): string =>
	createHash("sha256").update(canonicalJson(identity)).digest("hex");
