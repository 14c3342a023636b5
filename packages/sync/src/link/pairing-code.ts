// The code that an operator carries from one host to the other: who invites, where it listens, and a secret that holds once.

import { hostIdSchema } from "@knib/core";
import { z } from "zod";

const codeSchema = z.strictObject({
	host: hostIdSchema,
	address: z.string().min(3).max(300),
	secret: z.string().regex(/^[A-Za-z0-9_-]{22}$/),
});

/** What a code says. */
export type PairingCode = z.infer<typeof codeSchema>;

const PREFIX = "knib1";

/** The code as text without white space. */
export const writePairingCode = ({ host, address, secret }: PairingCode): string =>
	[
		PREFIX,
		Buffer.from(host, "hex").toString("base64url"),
		secret,
		Buffer.from(address).toString("base64url"),
	].join(".");

/** Reads a code; undefined when the text is none. */
export const readPairingCode = (text: string): PairingCode | undefined => {
	const [prefix, host, secret, address, ...rest] = text.replace(/\s+/g, "").split(".");
	if (prefix !== PREFIX || rest.length > 0) return undefined;
	return codeSchema.safeParse({
		host: Buffer.from(host ?? "", "base64url").toString("hex"),
		secret,
		address: Buffer.from(address ?? "", "base64url").toString("utf8"),
	}).data;
};

/** HOST and PORT of an address; undefined when it is none. */
export const splitAddress = (address: string): { host: string; port: number } | undefined => {
	const [, bracketed, plain, port] =
		/^(?:\[([0-9a-f:.]+)\]|([^:\s]+)):(\d{1,5})$/i.exec(address) ?? [];
	const host = bracketed ?? plain;
	return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) };
};
