import { networkInterfaces } from "node:os";
import { splitAddress } from "@knib/sync";
import type { Config } from "../config.ts";

const ANYWHERE: readonly string[] = ["0.0.0.0", "::"];

const firstOutside = (): string => {
	const all = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
	const outside = all.filter(({ internal }) => !internal);
	const best = outside.find(({ family }) => family === "IPv4") ?? outside[0];
	return best?.address ?? "127.0.0.1";
};

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/** Where peers are to call this host, which listens on `port`: as configured, else an address of this machine. Undefined when it does not listen. */
export const ownAddress = (
	{ advertise, listen }: Pick<Config, "advertise" | "listen">,
	port: number | undefined,
): string | undefined => {
	if (listen === undefined || port === undefined) return undefined;
	if (advertise !== undefined) return advertise;
	const host = splitAddress(listen)?.host ?? "127.0.0.1";
	return `${bracketed(ANYWHERE.includes(host) ? firstOutside() : host)}:${port}`;
};
