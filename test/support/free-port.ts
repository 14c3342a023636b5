// A TCP port of this machine that nobody uses.
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the ports that the kernel gives to whoever calls without one: those may be taken again between the look and the use. */
const FIRST = 10_000;
const END = 32_000;

const isFree = (port: number): Promise<boolean> =>
	new Promise((resolve) => {
		const server = createServer();
		server.once("error", () => resolve(false));
		server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
	});

/** A free port of 127.0.0.1, any of more than twenty thousand, so that tests beside each other hardly ever get the same one. */
export const freePort = async (): Promise<number> => {
	for (;;) {
		const port = randomInt(FIRST, END);
		if (await isFree(port)) return port;
	}
};
