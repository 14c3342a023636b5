// The unix socket of the control API. Its mode is the guard: 0600, or 0660 for the group `knib` where that exists. It is made in
// a closed directory and appears under its name with its mode already set.
import { chmod, chown, link, lstat, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { KnibError } from "@knib/core";

const codeOf = (error: unknown): unknown =>
	error instanceof Error && "code" in error ? error.code : undefined;

/** The id of a group by name, from /etc/group; undefined where there is none. */
export const groupId = async (name: string, file = "/etc/group"): Promise<number | undefined> => {
	const text = await readFile(file, "utf8").catch(() => "");
	const line = text.split("\n").find((candidate) => candidate.startsWith(`${name}:`));
	const id = line?.split(":")[2];
	return id === undefined || id === "" ? undefined : Number(id);
};

/** Whether something answers on the socket: `live`, `stale` (nobody listens any more) or `absent`. */
const probe = (path: string): Promise<"live" | "stale" | "absent"> =>
	new Promise((resolve, reject) => {
		const socket = connect(path);
		socket.once("connect", () => {
			socket.destroy();
			resolve("live");
		});
		socket.once("error", (error) => {
			const code = codeOf(error);
			if (code === "ENOENT") resolve("absent");
			else if (code === "ECONNREFUSED") resolve("stale");
			else reject(error);
		});
	});

const inUse = (path: string): KnibError =>
	new KnibError("EXISTS", `another knibd answers on ${path}`, {
		details: { hint: "stop it, or give this one another socket with `socket` or KNIB_SOCKET" },
	});

/** Takes away the socket of a dead daemon. Refuses what is not a socket, and a live one. */
const clear = async (path: string): Promise<void> => {
	const facts = await lstat(path).catch((error: unknown) => {
		if (codeOf(error) === "ENOENT") return undefined;
		throw error;
	});
	if (facts === undefined) return;
	if (!facts.isSocket()) {
		throw new KnibError("CONFIG_INVALID", `${path} exists and is not a socket`, {
			details: { hint: "move the file away, or name another socket" },
		});
	}
	if ((await probe(path)) === "live") throw inUse(path);
	await rm(path, { force: true });
};

const listenOn = (server: Server, path: string): Promise<void> =>
	new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen(path, () => {
			server.off("error", reject);
			resolve();
		});
	});

/** Listens on `path`. Throws EXISTS when a daemon answers there, CONFIG_INVALID when it cannot be a socket. Resolves to an act that takes the socket away. */
export const listenOnSocket = async (
	server: Server,
	path: string,
	group: number | undefined,
): Promise<() => Promise<void>> => {
	const directory = dirname(path);
	try {
		await mkdir(directory, { recursive: true, mode: 0o755 });
		await clear(path);
		const closed = await mkdtemp(`${directory}/.k`);
		try {
			const temporary = join(closed, "s");
			await listenOn(server, temporary);
			if (group !== undefined) await chown(temporary, -1, group);
			await chmod(temporary, group === undefined ? 0o600 : 0o660);
			await link(temporary, path).catch((error: unknown) => {
				throw codeOf(error) === "EEXIST" ? inUse(path) : error;
			});
		} finally {
			await rm(closed, { recursive: true, force: true });
		}
	} catch (error) {
		server.close();
		if (error instanceof KnibError) throw error;
		const why = error instanceof Error ? error.message : String(error);
		throw new KnibError("CONFIG_INVALID", `cannot listen on ${path}: ${why}`, { cause: error });
	}
	return () => rm(path, { force: true });
};
