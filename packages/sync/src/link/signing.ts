// Signatures that carry their key: the key is proven by hashing it to the host's id, so anyone can check anyone's document.
import {
	createHash,
	createPublicKey,
	type KeyObject,
	sign as signBytes,
	verify as verifyBytes,
} from "node:crypto";
import { plainBytes } from "./bytes.ts";

/** What every Ed25519 SPKI begins with; the 32 bytes of the key follow. */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
const SIGNATURE = /^([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{86})$/;
/** Keys remembered for each host that signs; more are forgotten, oldest first. */
const REMEMBERED_KEYS = 256;

const utf8 = (text: string): Uint8Array<ArrayBuffer> => plainBytes(Buffer.from(text));

/** The id of the host that has this public key. */
export const hostIdOf = (publicKey: KeyObject): string =>
	createHash("sha256")
		.update(plainBytes(publicKey.export({ type: "spki", format: "der" })))
		.digest("hex");

/** Signs texts with a host's Ed25519 key. */
export const createSigner = (privateKey: KeyObject): ((text: string) => string) => {
	const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
	const key = spki.subarray(SPKI_PREFIX.length).toString("base64url");
	return (text) => `${key}.${signBytes(null, utf8(text), privateKey).toString("base64url")}`;
};

/** Tells whether the host has signed the text; never throws. */
export const createVerifier = (): ((host: string, text: string, sig: string) => boolean) => {
	const keys = new Map<string, KeyObject>();
	const keyOf = (host: string, raw: string): KeyObject | undefined => {
		const known = keys.get(`${host}${raw}`);
		if (known !== undefined) return known;
		const der = Buffer.from([...SPKI_PREFIX, ...Buffer.from(raw, "base64url")]);
		const key = createPublicKey({ key: der, format: "der", type: "spki" });
		if (hostIdOf(key) !== host) return undefined;
		const [oldest] = keys.keys();
		if (keys.size >= REMEMBERED_KEYS && oldest !== undefined) keys.delete(oldest);
		keys.set(`${host}${raw}`, key);
		return key;
	};
	return (host, text, sig) => {
		const [, raw, signature] = SIGNATURE.exec(sig) ?? [];
		if (raw === undefined || signature === undefined) return false;
		try {
			const key = keyOf(host, raw);
			if (key === undefined) return false;
			return verifyBytes(null, utf8(text), key, plainBytes(Buffer.from(signature, "base64url")));
		} catch {
			return false;
		}
	};
};
