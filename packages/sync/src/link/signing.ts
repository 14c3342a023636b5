// Signatures that carry the keys of their host: the first one is proven by hashing it to the host's id, each later one by the one before
// it, so that anyone can check anyone's document.
import type { KeyObject } from "node:crypto";
import { splitSignature } from "@knib/core";
import { type HostKey, isSigned, proveSuccession, signatureOf } from "./host-key.ts";

/** Successions remembered for the hosts that sign; more are forgotten, oldest first. */
const REMEMBERED = 256;

/** Signs texts with the key that a host has at that time. */
export const createSigner =
	(current: () => HostKey): ((text: string) => string) =>
	(text) => {
		const { privateKey, succession } = current();
		return `${succession}.${signatureOf(privateKey, text)}`;
	};

/** Tells whether the host has signed the text, with whichever of its keys; never throws. */
export const createVerifier = (): ((host: string, text: string, sig: string) => boolean) => {
	const keys = new Map<string, KeyObject>();
	const newestKey = (host: string, succession: string): KeyObject | undefined => {
		const known = keys.get(`${host}${succession}`);
		if (known !== undefined) return known;
		const proven = proveSuccession(succession);
		if (proven?.host !== host) return undefined;
		const [oldest] = keys.keys();
		if (keys.size >= REMEMBERED && oldest !== undefined) keys.delete(oldest);
		keys.set(`${host}${succession}`, proven.key);
		return proven.key;
	};
	return (host, text, sig) => {
		const parts = splitSignature(sig);
		if (parts === undefined) return false;
		try {
			const key = newestKey(host, parts.succession);
			return key !== undefined && isSigned(key, text, parts.signature);
		} catch {
			return false;
		}
	};
};
