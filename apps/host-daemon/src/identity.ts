// Who this host is: an Ed25519 key pair in the state directory. The fingerprint of its first key is the host's id, so that an id cannot
// be claimed without the key; a later key is proven by the one before it, and stands in the same file with that proof.
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { link, mkdtemp, open, readFile, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { KnibError } from "@knib/core";
import { firstKey, type HostKey, nextKey } from "@knib/sync";
import { formatIdentity, parseIdentity } from "./identity-file.ts";

/** This host's id, name and key. */
export type Identity = {
	/** SHA-256 of the first public key's DER (SPKI) in hex. */
	readonly id: string;
	readonly name: string;
	/** The key of now. */
	readonly key: () => HostKey;
	/** When the key took the place of another one; null for the first. */
	readonly keySince: () => string | null;
	/** Makes a new key and takes it from when it is durable. Rejects with STORE_FAILED, RangeError when the host has had as many as it may. */
	readonly rotate: (at: string) => Promise<void>;
};

const codeOf = (error: unknown): unknown =>
	error instanceof Error && "code" in error ? error.code : undefined;

const read = async (path: string): Promise<string | undefined> => {
	try {
		return await readFile(path, "utf8");
	} catch (error) {
		if (codeOf(error) === "ENOENT") return undefined;
		throw new KnibError("STORE_FAILED", `cannot read this host's key ${path}`, { cause: error });
	}
};

const newKey = (): KeyObject => generateKeyPairSync("ed25519").privateKey;

const writeDurably = async (path: string, text: string): Promise<void> => {
	const file = await open(path, "wx", 0o600);
	try {
		await file.writeFile(text);
		await file.sync();
	} finally {
		await file.close();
	}
};

const syncDirectory = async (path: string): Promise<void> => {
	const directory = await open(path, "r");
	try {
		await directory.sync();
	} finally {
		await directory.close();
	}
};

/** Writes the key under its name in one act, so that two starts at once end with one key. */
const create = async (stateDir: string, path: string): Promise<void> => {
	const directory = await mkdtemp(join(stateDir, ".identity-"));
	try {
		const temporary = join(directory, "key");
		await writeDurably(temporary, formatIdentity({ key: firstKey(newKey()), since: null }));
		await link(temporary, path).catch((error: unknown) => {
			if (codeOf(error) !== "EEXIST") throw error;
		});
		await syncDirectory(stateDir);
	} finally {
		await rm(directory, { recursive: true, force: true });
	}
};

/** Puts another key in the place of the one there, by one rename: a crash leaves the old one or the new one. */
const replace = async (stateDir: string, path: string, text: string): Promise<void> => {
	const temporary = `${path}.new`;
	try {
		// What an earlier crash left was nobody's key.
		await rm(temporary, { force: true });
		await writeDurably(temporary, text);
		await rename(temporary, path);
		await syncDirectory(stateDir);
	} catch (cause) {
		throw new KnibError("STORE_FAILED", `cannot write this host's key ${path}`, { cause });
	}
};

/** Reads this host's identity, and makes it at the first time; `name` is how it is called. Repeatable; throws STORE_FAILED when the key cannot be read. */
export const loadIdentity = async (
	stateDir: string,
	name: string = hostname(),
): Promise<Identity & { readonly created: boolean }> => {
	const path = join(stateDir, "identity.pem");
	let pem = await read(path);
	const created = pem === undefined;
	if (created) {
		await create(stateDir, path);
		pem = await read(path);
	}
	const kept = parseIdentity(pem ?? "");
	if (kept === undefined) {
		throw new KnibError("STORE_FAILED", `${path} holds no private key of a host`, {
			details: {
				hint: "bring the file back from a backup; without it this host is a new one to its peers",
			},
		});
	}
	const { id } = kept;
	let now: { readonly key: HostKey; readonly since: string | null } = kept;
	return {
		...{ id, name, created },
		key: () => now.key,
		keySince: () => now.since,
		rotate: async (at) => {
			const next = { key: nextKey(now.key, newKey()), since: at };
			await replace(stateDir, path, formatIdentity(next));
			now = next;
		},
	};
};
