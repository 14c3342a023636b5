// The file that holds a host's key: after a rotation a block with how the key follows from the first one, then the private key as PEM. Both
// stand in one file, so that they are never of different rotations, and in this order, so that a file that was cut off has no key.
import { createPrivateKey } from "node:crypto";
import { firstKey, type HostKey, proveSuccession } from "@knib/sync";
import { z } from "zod";

/** What the file says. */
export type KeptIdentity = {
	readonly key: HostKey;
	/** When the key took the place of another one; null for the first. */
	readonly since: string | null;
};

const LABEL = "KNIB KEY SUCCESSION";
const LINE = 64;
const BLOCK = new RegExp(`-----BEGIN ${LABEL}-----([A-Za-z0-9+/=\\s]*)-----END ${LABEL}-----`);
const PRIVATE_KEY = /-----BEGIN PRIVATE KEY-----[^-]*-----END PRIVATE KEY-----/;
const blockSchema = z.object({ succession: z.string(), since: z.iso.datetime() });

/** The file's text. */
export const formatIdentity = ({ key, since }: KeptIdentity): string => {
	const pem = key.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
	if (since === null) return pem;
	const content = Buffer.from(JSON.stringify({ succession: key.succession, since }));
	const lines = content.toString("base64").match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
	return `-----BEGIN ${LABEL}-----\n${lines.join("\n")}\n-----END ${LABEL}-----\n${pem}`;
};

const parse = (text: string): (KeptIdentity & { readonly id: string }) | undefined => {
	const own = firstKey(createPrivateKey(PRIVATE_KEY.exec(text)?.[0] ?? ""));
	const block = text.includes(LABEL) ? (BLOCK.exec(text)?.[1] ?? "") : undefined;
	if (block === undefined) {
		const first = proveSuccession(own.succession);
		return first && { id: first.host, key: own, since: null };
	}
	const { succession, since } = blockSchema.parse(
		JSON.parse(Buffer.from(block, "base64").toString("utf8")),
	);
	const proven = proveSuccession(succession);
	// The newest key of the succession is the private one's public half.
	if (proven === undefined || succession.split(".").at(-1) !== own.succession) return undefined;
	return { id: proven.host, key: { ...own, succession }, since };
};

/** Reads the file's text; undefined when it holds no key, or a succession that is not the key's. Never throws. */
export const parseIdentity = (
	text: string,
): (KeptIdentity & { readonly id: string }) | undefined => {
	try {
		return parse(text);
	} catch {
		return undefined;
	}
};
