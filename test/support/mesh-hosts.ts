// Real daemons beside each other, each behind a gate that a test can shut: peers call a host through its gate only.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket, connect as tcp } from "node:net";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { connect, type KnibClient } from "../../apps/host-daemon/src/api/client.ts";
import { aPlace, type DaemonProcess, startKnibd } from "./daemon-process.ts";
import { freePort } from "./free-port.ts";
import { runCli } from "./run-cli.ts";

const HOST = "127.0.0.1";

const listening = (server: Server): Promise<number> =>
	new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen(0, HOST, () => {
			const address = server.address();
			resolve(typeof address === "object" && address !== null ? address.port : 0);
		});
	});

/** A TCP proxy that can be shut: what is open breaks, and nobody comes through until it is opened. */
const aGate = async (t: ExecutionContext, target: number) => {
	let open = true;
	const sockets = new Set<Socket>();
	const keep = (socket: Socket): void => {
		sockets.add(socket);
		socket.on("error", () => socket.destroy());
		socket.on("close", () => sockets.delete(socket));
	};
	const server = createServer((from) => {
		keep(from);
		if (!open) {
			from.destroy();
			return;
		}
		const to = tcp(target, HOST);
		keep(to);
		from.pipe(to).pipe(from);
		from.on("close", () => to.destroy());
		to.on("close", () => from.destroy());
	});
	const port = await listening(server);
	const cut = (): void => {
		for (const socket of sockets) socket.destroy();
	};
	t.teardown(() => {
		server.close();
		cut();
	});
	return {
		port,
		shut: () => {
			open = false;
			cut();
		},
		open: () => {
			open = true;
		},
	};
};

/** Waits until what is asked holds; rejects with the last answer at the deadline. */
export const until = async <T>(
	what: string,
	ask: () => Promise<T> | T,
	holds: (answer: T) => boolean,
	deadlineMs = 90_000,
): Promise<T> => {
	const end = Date.now() + deadlineMs;
	for (;;) {
		const answer = await ask();
		if (holds(answer)) return answer;
		if (Date.now() > end) {
			throw new Error(`not within ${deadlineMs} ms: ${what}; last ${JSON.stringify(answer)}`);
		}
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
};

/** Answers as the virsh of a libvirt without any VM, or of one that is down while there is a file `down` beside it. */
const VIRSH = `#!/bin/sh
if test -e "$(dirname "$0")/down"; then
	echo "error: failed to connect to the hypervisor" >&2
	exit 1
fi
case " $* " in
*" version "*) echo "Compiled against library: libvirt 9.0.0"; echo "Running hypervisor: QEMU 7.2.0" ;;
*" list "*) ;;
*) echo "error: failed to get domain" >&2; exit 1 ;;
esac
`;

/** A host with a running daemon of its own, on a libvirt that has no VMs. */
export const aMeshHost = async (
	t: ExecutionContext,
	name: string,
	more: Readonly<Record<string, string>> = {},
) => {
	const { home, env: place } = await aPlace(t);
	const port = await freePort();
	const gate = await aGate(t, port);
	await mkdir(join(home, "bin"));
	await writeFile(join(home, "bin", "virsh"), VIRSH, { mode: 0o755 });
	const env: Record<string, string> = {
		...place,
		...more,
		PATH: `${join(home, "bin")}:${process.env["PATH"] ?? ""}`,
		KNIB_NAME: name,
		KNIB_LISTEN: `${HOST}:${port}`,
		KNIB_ADVERTISE: `${HOST}:${gate.port}`,
	};
	const made = await runCli(["init"], env);
	if (made.code !== 0) throw new Error(made.stderr);
	let daemon: DaemonProcess = startKnibd(t, env);
	await daemon.started;
	const open = (): Promise<KnibClient> => connect({ socket: env["KNIB_SOCKET"] ?? "" });
	let client = await open();
	t.teardown(() => client.close());
	const info = await client.api.daemon.info.query();
	return {
		...{ name, home, env, gate, port, id: info.host.id },
		get api() {
			return client.api;
		},
		get client() {
			return client;
		},
		cli: (...args: string[]) => runCli(args, env),
		/** Kills the daemon as a power cut would. */
		kill: async () => {
			await client.close();
			daemon.child.kill("SIGKILL");
			await daemon.ended;
		},
		start: async (more: Readonly<Record<string, string>> = {}) => {
			daemon = startKnibd(t, { ...env, ...more });
			await daemon.started;
			client = await open();
		},
		/** Starts a daemon that ends by itself, and waits for that: it may have ended before anybody could ask it. */
		startToDie: async (more: Readonly<Record<string, string>>) => {
			daemon = startKnibd(t, { ...env, ...more });
			await daemon.ended;
		},
		/** Takes libvirt down, and brings it back. */
		libvirt: (state: "down" | "up") =>
			state === "down"
				? writeFile(join(home, "bin", "down"), "")
				: rm(join(home, "bin", "down"), { force: true }),
	};
};
export type MeshHost = Awaited<ReturnType<typeof aMeshHost>>;

/** Pairs `other` with `host`, by the code that `host` gives out. */
export const pair = async (
	host: MeshHost,
	other: MeshHost,
	role: "viewer" | "operator" | "admin" = "operator",
): Promise<void> => {
	const { code } = await host.api.peer.invite.mutate({ role });
	await other.api.peer.join.mutate({ code });
};

/** Waits until a host is connected to so many peers. */
export const connectedTo = (host: MeshHost, count: number) =>
	until(
		`${host.name} to be connected to ${count}`,
		() => host.api.peer.list.query(),
		(peers) => peers.filter(({ state }) => state === "connected").length === count,
	);
