// Serves the control API on the unix socket. Whatever a client sends, the daemon lives on.
import { createServer, type IncomingMessage } from "node:http";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { WebSocketServer } from "ws";
import type { Logger } from "../logger.ts";
import type { ApiDeps, Context } from "./context.ts";
import { appRouter } from "./router.ts";
import { groupId, listenOnSocket } from "./socket.ts";
import { errorViewOf } from "./trpc.ts";

type Options = {
	readonly socket: string;
	readonly limits: { readonly clients: number; readonly message: number };
	readonly deps: ApiDeps;
	readonly logger: Logger;
};

/** A server that can be closed: no new connections, open ones end, the socket is gone. */
export type ApiServer = { close(): Promise<void> };

const userOf = (request: IncomingMessage): string => {
	const stated = request.headers["x-knib-user"];
	return typeof stated === "string" ? stated.replace(/[^\x20-\x7e]/g, "").slice(0, 100) : "unknown";
};

/** Starts to listen; resolves when the socket can be used. */
export const startApi = async ({ socket, limits, deps, logger }: Options): Promise<ApiServer> => {
	const log = logger.child({ component: "api" });
	const http = createServer((_request, response) => {
		response
			.writeHead(426, { "content-type": "text/plain" })
			.end("knib's control API speaks WebSocket\n");
	});
	http.maxConnections = limits.clients;
	http.on("clientError", (_error, connection) => connection.destroy());
	const wss = new WebSocketServer({
		server: http,
		maxPayload: limits.message,
		perMessageDeflate: false,
	});
	wss.on("error", (err) => log.warn({ err }, "control socket reported an error"));
	applyWSSHandler({
		wss,
		router: appRouter,
		createContext: ({ req }): Context => ({ deps, user: userOf(req) }),
		onError: ({ error, path, type }) => {
			const { code, message } = errorViewOf(error);
			if (code === "INTERNAL") log.error({ err: error, path, type }, "request failed");
			else log.debug({ code, message, path, type }, "request refused");
		},
	});
	const remove = await listenOnSocket(http, socket, await groupId("knib"));
	return {
		close: async () => {
			await remove();
			const closed = new Promise<void>((resolve) => http.close(() => resolve()));
			for (const client of wss.clients) client.close(1001, "knibd stops");
			wss.close();
			const forced = setTimeout(() => {
				for (const client of wss.clients) client.terminate();
				http.closeAllConnections();
			}, 1000);
			await closed;
			clearTimeout(forced);
		},
	};
};
