// The configuration of this host: flag, environment, file, default, in this order. A key that is not known is refused, since a
// misspelt one would otherwise silently leave the default in force.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { KnibError } from "@knib/core";
import { parse as parseToml } from "smol-toml";
import { z } from "zod";

/** Where the configuration is read when neither flag nor `KNIB_CONFIG` names another file. */
export const DEFAULT_CONFIG = "/etc/knib/knib.toml";
/** Where the state lies unless said otherwise. */
export const DEFAULT_STATE_DIR = "/var/lib/knib";
/** Where the system's libvirt looks for hooks. */
export const SYSTEM_HOOKS = "/etc/libvirt/hooks";
const DEFAULT_SOCKET = "/run/knib/control.sock";

const absolute = z.string().regex(/^\/[^\p{C}]*$/u, "an absolute path");
const count = (max: number) => z.coerce.number().int().min(1).max(max);
const limitsSchema = z.strictObject({
	/** Connections to the control socket at a time. */
	clients: count(10_000).default(64),
	/** Bytes of one message on the control socket. */
	message: count(64 * 1024 * 1024).default(1024 * 1024),
});
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
const fileSchema = z.strictObject({
	listen: z
		.string()
		.regex(/^(\[[0-9a-f:]+\]|[^:\s]+):\d{1,5}$/i, "HOST:PORT, such as 0.0.0.0:7700")
		.optional(),
	/** Where peers call this host, when that is not where it listens. */
	advertise: z
		.string()
		.regex(/^(\[[0-9a-f:]+\]|[^:\s]+):\d{1,5}$/i, "HOST:PORT, such as backup1.example:7700")
		.optional(),
	/** How this host is called among its peers; its hostname unless given. */
	name: z
		.string()
		.regex(/^[\w.-]{1,63}$/, "1 to 63 letters, digits, dots and dashes")
		.optional(),
	stateDir: absolute.default(DEFAULT_STATE_DIR),
	/** The kernel takes 107 bytes at most. */
	socket: absolute
		.refine((path) => Buffer.byteLength(path) <= 107, "a path of at most 107 bytes")
		.default(DEFAULT_SOCKET),
	libvirtUri: z.string().min(1).default("qemu:///system"),
	scratchDir: absolute.optional(),
	/** Where libvirt looks for hooks; known by itself for the system's libvirt only. */
	hooksDir: absolute.optional(),
	logLevel: z.enum(LOG_LEVELS).default("info"),
	limits: limitsSchema.prefault({}),
});
type FileConfig = z.infer<typeof fileSchema>;

/** The configuration in force. */
export type Config = FileConfig & {
	/** The file that was read, or would be. */
	readonly file: string;
	readonly fileExists: boolean;
	/** `scratchDir`, or `scratch` in the state directory. */
	readonly scratch: string;
	/** `hooksDir`, or the system's where the system's libvirt is used; undefined where it is not known. */
	readonly hooks: string | undefined;
};

const isSystems = (uri: string): boolean => /^qemu:\/\/\/system$/.test(uri);

type Environment = Readonly<Record<string, string | undefined>>;
/** What the command line gives; absent = not given. */
export type ConfigFlags = {
	readonly config?: string | undefined;
	readonly socket?: string | undefined;
	readonly stateDir?: string | undefined;
	readonly libvirtUri?: string | undefined;
	readonly listen?: string | undefined;
};

const VARIABLES: Readonly<Record<string, readonly string[]>> = {
	KNIB_LISTEN: ["listen"],
	KNIB_ADVERTISE: ["advertise"],
	KNIB_NAME: ["name"],
	KNIB_STATE_DIR: ["stateDir"],
	KNIB_SOCKET: ["socket"],
	KNIB_LIBVIRT_URI: ["libvirtUri"],
	KNIB_SCRATCH_DIR: ["scratchDir"],
	KNIB_HOOKS_DIR: ["hooksDir"],
	KNIB_LOG_LEVEL: ["logLevel"],
	KNIB_LIMITS_CLIENTS: ["limits", "clients"],
	KNIB_LIMITS_MESSAGE: ["limits", "message"],
};
const KEYS = [
	...Object.keys(fileSchema.shape).filter((key) => key !== "limits"),
	...Object.keys(limitsSchema.shape).map((key) => `limits.${key}`),
];

const invalid = (source: string, what: string, cause?: unknown): KnibError =>
	new KnibError("CONFIG_INVALID", `${source}: ${what}`, {
		details: { source },
		...(cause === undefined ? {} : { cause }),
	});

const wordsOf = (error: z.ZodError): string =>
	error.issues
		.map((issue) => {
			const path = issue.path.join(".");
			if (issue.code !== "unrecognized_keys") return `${path}: ${issue.message}`;
			const keys = issue.keys.map((key) => (path === "" ? key : `${path}.${key}`));
			return `unknown key ${keys.join(", ")}: the keys are ${KEYS.join(", ")}`;
		})
		.join("; ");

const readTable = async (
	file: string,
): Promise<{ table: Record<string, unknown>; exists: boolean }> => {
	let text: string;
	try {
		text = await readFile(file, "utf8");
	} catch (error) {
		const code = error instanceof Error && "code" in error ? error.code : undefined;
		if (code === "ENOENT") return { table: {}, exists: false };
		throw invalid(file, `cannot be read (${String(code)})`, error);
	}
	try {
		return { table: parseToml(text), exists: true };
	} catch (error) {
		throw invalid(file, error instanceof Error ? error.message : "not TOML", error);
	}
};

const isTable = (value: unknown): value is Record<string, unknown> =>
	typeof value === "object" && value !== null && !Array.isArray(value);

const put = (table: Record<string, unknown>, path: readonly string[], value: unknown): void => {
	const [head, ...rest] = path;
	if (head === undefined) return;
	if (rest.length === 0) {
		table[head] = value;
		return;
	}
	const inner = isTable(table[head]) ? { ...table[head] } : {};
	put(inner, rest, value);
	table[head] = inner;
};

const parsed = (table: Record<string, unknown>, source: string): FileConfig => {
	const result = fileSchema.safeParse(table);
	if (!result.success) throw invalid(source, wordsOf(result.error), result.error);
	return result.data;
};

/** Reads the configuration. A file that is named and missing is refused unless `mayBeMissing`. Throws CONFIG_INVALID. */
export const loadConfig = async (options: {
	readonly flags?: ConfigFlags;
	readonly env: Environment;
	readonly mayBeMissing?: boolean;
}): Promise<Config> => {
	const { config, ...flags } = options.flags ?? {};
	const named = config ?? options.env["KNIB_CONFIG"];
	const file = named ?? DEFAULT_CONFIG;
	const { table, exists } = await readTable(file);
	if (!exists && named !== undefined && options.mayBeMissing !== true) {
		throw new KnibError("CONFIG_INVALID", `${file}: there is no such file`, {
			details: { source: file, hint: "`knib init` writes one" },
		});
	}
	parsed(table, file);
	for (const [variable, path] of Object.entries(VARIABLES)) {
		const value = options.env[variable];
		if (value === undefined || value === "") continue;
		put(table, path, value);
		parsed(table, `environment variable ${variable}`);
	}
	for (const [key, value] of Object.entries(flags)) {
		if (value !== undefined) put(table, [key], value);
	}
	const values = parsed(table, "command line");
	const scratch = values.scratchDir ?? join(values.stateDir, "scratch");
	const hooks = values.hooksDir ?? (isSystems(values.libvirtUri) ? SYSTEM_HOOKS : undefined);
	return { ...values, file, fileExists: exists, scratch, hooks };
};
