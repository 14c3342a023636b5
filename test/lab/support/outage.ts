// Storage that stands still or gives errors for a while and then comes back, as an NFS server does: a file system on a loop device over a
// file that qemu-storage-daemon shows of an NBD server's image.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "./deadline.ts";
import type { Lab } from "./lab.ts";
import { run } from "./run.ts";

export type FickleStorage = {
	/** Where it is mounted; open to every user. */
	readonly path: string;
	/** Reads and writes wait until `back`. */
	readonly stall: () => void;
	/** Reads and writes fail until `back`. */
	readonly fail: () => Promise<void>;
	readonly back: () => Promise<void>;
	/** Takes everything away, also while it is in use or stalled. */
	readonly end: () => Promise<void>;
};

const DEADLINE_MS = 60_000;

const ended = async (child: ChildProcess): Promise<void> => {
	const running = child.exitCode === null && child.signalCode === null;
	if (running && child.kill("SIGKILL")) await once(child, "exit");
};

const there = (path: string, what: string, is: (size: number) => boolean) =>
	waitFor(
		() =>
			stat(path)
				.then(({ size }) => is(size))
				.catch(() => false),
		{
			deadlineMs: DEADLINE_MS,
			what,
		},
	);

/** Mounts so many MiB below the lab's directory. */
export const mountFickle = async (
	lab: Lab,
	name: string,
	sizeMib: number,
): Promise<FickleStorage> => {
	const home = join(lab.dir, `${name}-server`);
	const path = join(lab.dir, "mnt", name);
	const [image, socket, file] = ["image", "socket", "file"].map((one) => join(home, one));
	if (image === undefined || socket === undefined || file === undefined) throw new Error("names");
	await mkdir(home);
	await mkdir(path, { recursive: true, mode: 0o755 });
	await run(["truncate", "-s", `${sizeMib}M`, image]);
	// No journal: a file system that has one stays read-only after an error.
	await run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", image]);
	await writeFile(file, "");
	const serve = async (): Promise<ChildProcess> => {
		await run(["rm", "-f", socket]);
		const args = ["-t", "-f", "raw", "-k", socket, "--shared=4", image];
		const child = spawn("qemu-nbd", args, { stdio: "ignore" });
		await there(socket, "the server's socket", () => true);
		return child;
	};
	let server = await serve();
	const node = "driver=nbd,node-name=n,server.type=unix,reconnect-delay=0,server.path=";
	const shown = `type=fuse,id=e,node-name=n,writable=on,mountpoint=${file}`;
	const client = spawn(
		"qemu-storage-daemon",
		["--blockdev", `${node}${socket}`, "--export", shown],
		{ stdio: "ignore" },
	);
	await there(file, "the shown file", (size) => size > 0);
	const device = (await run(["losetup", "--find", "--show", file])).stdout.trim();
	await run(["mount", "-t", "ext4", "-o", "errors=continue", device, path]);
	return {
		path,
		stall: () => void server.kill("SIGSTOP"),
		fail: () => ended(server),
		back: async () => {
			if (server.signalCode === null) server.kill("SIGCONT");
			else server = await serve();
		},
		end: async () => {
			await run(["umount", "-l", path], { reject: false });
			await ended(server);
			await ended(client);
			await run(["losetup", "--detach", device], { reject: false });
			await run(["umount", "-l", file], { reject: false });
		},
	};
};
