// A host's key, and how it follows from the host's first one: whoever has the host's id can check that without asking anybody.
import {
	createHash,
	createPublicKey,
	type KeyObject,
	sign as signBytes,
	verify as verifyBytes,
} from "node:crypto";
import { keysOf, keyText, MOST_KEYS } from "@knib/core";
import { plainBytes, utf8 } from "./bytes.ts";

/** What every Ed25519 SPKI begins with; the 32 bytes of the key follow. */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
const KEY_BYTES = 32;

/** What a host proves itself by. */
export type HostKey = {
	readonly privateKey: KeyObject;
	/** Its keys up to this one; see keysOf. */
	readonly succession: string;
};

/** A succession whose signatures hold. */
export type ProvenKey = {
	/** The host's id: the hash of its first key. */
	readonly host: string;
	readonly succession: string;
	/** The newest key. */
	readonly key: KeyObject;
};

/** The id of the host whose first key this public key is. */
const hostIdOf = (publicKey: KeyObject): string =>
	createHash("sha256")
		.update(plainBytes(publicKey.export({ type: "spki", format: "der" })))
		.digest("hex");

/** The text of an Ed25519 key's public half; undefined for another sort of key. */
export const keyOf = (key: KeyObject): string | undefined => {
	if (key.asymmetricKeyType !== "ed25519") return undefined;
	const publicKey = key.type === "private" ? createPublicKey(key) : key;
	const spki = publicKey.export({ type: "spki", format: "der" });
	return spki.subarray(SPKI_PREFIX.length).toString("base64url");
};

/** The bytes of a text; undefined when it is not the one way to write them. */
const bytesOf = (text: string): Buffer | undefined => {
	const bytes = Buffer.from(text, "base64url");
	return bytes.toString("base64url") === text ? bytes : undefined;
};

const publicKeyOf = (text: string): KeyObject | undefined => {
	const raw = bytesOf(text);
	if (raw?.length !== KEY_BYTES) return undefined;
	const der = Buffer.from([...SPKI_PREFIX, ...raw]);
	return createPublicKey({ key: der, format: "der", type: "spki" });
};

/** True when the key has signed the text. */
export const isSigned = (key: KeyObject, text: string, signature: string): boolean => {
	const bytes = bytesOf(signature);
	return bytes !== undefined && verifyBytes(null, utf8(text), key, plainBytes(bytes));
};

/** The signature of a text by a private key. */
export const signatureOf = (privateKey: KeyObject, text: string): string =>
	signBytes(null, utf8(text), privateKey).toString("base64url");

const textOf = (privateKey: KeyObject): string => {
	const key = keyOf(privateKey);
	if (key === undefined) throw new TypeError("a host's key is an Ed25519 one");
	return key;
};

/** A host's first key. Throws TypeError when it is no Ed25519 key. */
export const firstKey = (privateKey: KeyObject): HostKey => ({
	privateKey,
	succession: textOf(privateKey),
});

/** The key that takes the place of one. Throws RangeError when the host has had as many as it may, TypeError when it is no Ed25519 key. */
export const nextKey = (before: HostKey, privateKey: KeyObject): HostKey => {
	const proven = proveSuccession(before.succession);
	const number = (keysOf(before.succession)?.length ?? 0) + 1;
	if (proven === undefined || number > MOST_KEYS) throw new RangeError("the host has had its keys");
	const key = textOf(privateKey);
	const signature = signatureOf(before.privateKey, keyText(proven.host, number, key));
	return { privateKey, succession: `${before.succession}.${signature}.${key}` };
};

const prove = (succession: string): ProvenKey | undefined => {
	const [first, ...keys] = keysOf(succession) ?? [];
	let key = first === undefined ? undefined : publicKeyOf(first);
	if (key === undefined) return undefined;
	const host = hostIdOf(key);
	const parts = succession.split(".");
	for (const [at, text] of keys.entries()) {
		const next = publicKeyOf(text);
		const signature = parts[2 * at + 1] ?? "";
		if (next === undefined || !isSigned(key, keyText(host, at + 2, text), signature))
			return undefined;
		key = next;
	}
	return { host, succession, key };
};

/** Checks a succession; undefined when it is none, or one of its keys did not sign for the next. Never throws. */
export const proveSuccession = (succession: string): ProvenKey | undefined => {
	try {
		return prove(succession);
	} catch {
		return undefined;
	}
};
