import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { KnibError } from "@knib/core";
import type { Config } from "../config.ts";
import { replaceFile } from "./replace-file.ts";

const quoted = (text: string): string => JSON.stringify(text);

/** A configuration file that says what is in force; what is left to the defaults stands in comments. */
export const configText = (config: Config, defaults: Config): string => {
	const line = (key: "stateDir" | "socket" | "libvirtUri" | "logLevel"): string => {
		const set = config[key] !== defaults[key];
		return `${set ? "" : "# "}${key} = ${quoted(config[key])}`;
	};
	return [
		"# knib on this host. Every key may be left out; environment (KNIB_…) and flags win over this file.",
		config.listen === undefined ? '# listen = "0.0.0.0:7700"' : `listen = ${quoted(config.listen)}`,
		line("stateDir"),
		line("socket"),
		line("libvirtUri"),
		`${config.scratchDir === undefined ? "# " : ""}scratchDir = ${quoted(config.scratch)}`,
		line("logLevel"),
		"",
		"# [limits]",
		`# clients = ${config.limits.clients}`,
		"",
	].join("\n");
};

const write = async (path: string, text: string): Promise<void> => {
	await mkdir(dirname(path), { recursive: true, mode: 0o755 });
	const file = await open(path, "wx", 0o644);
	try {
		await file.writeFile(text);
		await file.sync();
	} finally {
		await file.close();
	}
};

/** An act that is still to be done, in words. */
export type Act = { readonly explain: string; apply(): Promise<void> };

/** What must be written so that the file exists and says `listen`. A file that says something else is refused, never changed behind its owner's back. */
export const configAct = async (
	config: Config,
	defaults: Config,
	listen: string | undefined,
): Promise<Act | undefined> => {
	const { file } = config;
	if (!config.fileExists) {
		const text = configText(config, defaults);
		return { explain: `writes ${file}`, apply: () => write(file, text) };
	}
	if (listen === undefined) return undefined;
	const before = await readFile(file, "utf8");
	const line = /^[ \t]*listen[ \t]*=.*$/m.exec(before)?.[0];
	if (line === undefined) {
		const text = `listen = ${quoted(listen)}\n${before}`;
		return { explain: `adds listen to ${file}`, apply: () => replaceFile(file, text) };
	}
	if (line.includes(quoted(listen))) return undefined;
	throw new KnibError("REFUSED", `${file} says ${line.trim()} already`, {
		details: { hint: "change that line by hand" },
	});
};
