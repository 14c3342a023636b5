// The client's end of the control socket: tRPC over one WebSocket, with errors turned back into KnibError and no reconnecting,
// since a lost daemon is for the caller to see.

import { connect as connectSocket, type Socket } from "node:net";
import { userInfo } from "node:os";
import { type ErrorView, isErrorCode, KnibError } from "@knib/core/errors";
import { createWSClient, TRPCClientError, TRPCUntypedClient, wsLink } from "@trpc/client";
import { WebSocket } from "ws";
import type { AppRouter } from "./router.ts";

/** How long a daemon that took the connection may be silent, ms. */
const HANDSHAKE_MS = 10_000;

const isObject = (value: unknown): value is Record<string, unknown> =>
	typeof value === "object" && value !== null;

const parseErrorView = (value: unknown): ErrorView | undefined => {
	if (!isObject(value)) return undefined;
	const { code, message, hint, details } = value;
	if (!isErrorCode(code) || typeof message !== "string" || typeof hint !== "string")
		return undefined;
	return { code, message, hint, details: isObject(details) ? details : {} };
};

const lostError = (socket: string): KnibError =>
	new KnibError("DAEMON_UNREACHABLE", `the connection to knibd on ${socket} was lost`, {
		details: { hint: "running jobs go on or are taken up again: see `knib job list`" },
	});

/** The error that the daemon threw, or DAEMON_UNREACHABLE when the connection broke. */
const revive = (thrown: unknown, socket: string): KnibError => {
	if (thrown instanceof KnibError) return thrown;
	if (!(thrown instanceof TRPCClientError)) {
		return new KnibError("INTERNAL", String(thrown), { cause: thrown });
	}
	const data: unknown = thrown.data;
	const view = parseErrorView(isObject(data) ? data["knib"] : undefined);
	if (view === undefined) return lostError(socket);
	return new KnibError(view.code, view.message, { details: { ...view.details, hint: view.hint } });
};

const user = (): string => {
	try {
		return userInfo().username;
	} catch {
		return "unknown";
	}
};

/** A transport for tRPC's typed proxy. */
export class Transport extends TRPCUntypedClient<AppRouter> {
	readonly #socket: string;
	readonly #client: ReturnType<typeof createWSClient>;
	#lost = false;
	/** Calls are under way when this is fulfilled; it never is where the daemon does not answer. */
	readonly ready: Promise<void>;

	/** Over a socket that is open; `path` is where it leads. */
	constructor(path: string, socket: Socket) {
		let unused: Socket | null = socket;
		const take = (): Socket => {
			const taken = unused ?? connectSocket(path);
			unused = null;
			return taken;
		};
		class UnixSocket extends WebSocket {
			constructor(url: string | URL) {
				super(url, {
					perMessageDeflate: false,
					handshakeTimeout: HANDSHAKE_MS,
					createConnection: take,
					headers: { "x-knib-user": user() },
				});
			}
		}
		let opened: () => void = () => undefined;
		const ready = new Promise<void>((resolve) => {
			opened = resolve;
		});
		const client = createWSClient({
			onOpen: () => opened(),
			url: "ws://knib/",
			WebSocket: UnixSocket as unknown as typeof globalThis.WebSocket,
			onClose: () => this.#lose(),
		});
		super({ links: [wsLink({ client })] });
		this.ready = ready;
		this.#socket = path;
		this.#client = client;
	}

	#lose(): void {
		this.#lost = true;
		void this.close();
	}

	override async query(...args: Parameters<TRPCUntypedClient<AppRouter>["query"]>) {
		return await super.query(...args).catch((error: unknown) => {
			throw revive(error, this.#socket);
		});
	}

	override async mutation(...args: Parameters<TRPCUntypedClient<AppRouter>["mutation"]>) {
		return await super.mutation(...args).catch((error: unknown) => {
			throw revive(error, this.#socket);
		});
	}

	/** The items of a subscription with knib's errors; a connection that breaks is an error, not an end. */
	async *items<T>(source: AsyncIterable<T>): AsyncIterable<T> {
		try {
			yield* source;
		} catch (error) {
			throw revive(error, this.#socket);
		}
		if (this.#lost) throw lostError(this.#socket);
	}

	async close(): Promise<void> {
		await this.#client.close();
	}
}
