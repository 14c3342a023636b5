// Who this host is: an Ed25519 key pair in the state directory; its fingerprint is the host's id, so that an id cannot be
// claimed without the key.
import {
	createHash,
	createPrivateKey,
	createPublicKey,
	generateKeyPairSync,
	type KeyObject,
} from "node:crypto";
import { link, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { KnibError } from "@knib/core";

/** This host's id, name and key. */
export type Identity = {
	/** SHA-256 of the public key's DER (SPKI) in hex. */
	readonly id: string;
	readonly name: string;
	readonly privateKey: KeyObject;
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

/** Writes the key under its name in one act, so that two starts at once end with one key. */
const create = async (stateDir: string, path: string): Promise<void> => {
	const { privateKey } = generateKeyPairSync("ed25519");
	const directory = await mkdtemp(join(stateDir, ".identity-"));
	try {
		const temporary = join(directory, "key");
		const file = await open(temporary, "wx", 0o600);
		await file.writeFile(privateKey.export({ type: "pkcs8", format: "pem" }));
		await file.sync();
		await file.close();
		await link(temporary, path).catch((error: unknown) => {
			if (codeOf(error) !== "EEXIST") throw error;
		});
		const parent = await open(stateDir, "r");
		await parent.sync();
		await parent.close();
	} finally {
		await rm(directory, { recursive: true, force: true });
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
	try {
		const privateKey = createPrivateKey(pem ?? "");
		const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
		const id = createHash("sha256").update(spki).digest("hex");
		return { id, name, privateKey, created };
	} catch (error) {
		throw new KnibError("STORE_FAILED", `${path} holds no private key`, {
			cause: error,
			details: {
				hint: "bring the file back from a backup; without it this host is a new one to its peers",
			},
		});
	}
};
