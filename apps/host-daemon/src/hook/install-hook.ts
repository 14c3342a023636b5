// The hook's place among libvirt's, and whether libvirt knows it yet: libvirt looks for hooks when it starts and when it is told to reload.
import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Config, DEFAULT_STATE_DIR, SYSTEM_HOOKS } from "../config.ts";
import type { Act } from "../init/config-file.ts";
import { hookScript } from "./hook-script.ts";

const MODE = 0o755;
/** Where libvirt's daemons for qemu write their process ids. */
const PID_FILES = ["/run/libvirtd.pid", "/run/virtqemud.pid"];
const DAEMON = /^(?:libvirtd|virtqemud)$/;

/** Path of this daemon's hook; undefined where the directory of the hooks is not known. Daemons beside each other have one each. */
export const hookPath = ({
	hooks,
	stateDir,
}: Pick<Config, "hooks" | "stateDir">): string | undefined => {
	if (hooks === undefined) return undefined;
	const digest = createHash("sha256").update(stateDir).digest("hex").slice(0, 8);
	return join(hooks, "qemu.d", stateDir === DEFAULT_STATE_DIR ? "knib" : `knib-${digest}`);
};

/** Whether the hook is there, says what it must, and may be run. */
export const isInstalled = async (path: string, stateDir: string): Promise<boolean> => {
	const found = await stat(path).catch(() => undefined);
	if (found === undefined || (found.mode & 0o111) === 0) return false;
	return (await readFile(path, "utf8").catch(() => "")) === hookScript(stateDir);
};

/** Has the system's libvirt look for its hooks again; guests do not notice. */
const reload = async (): Promise<void> => {
	for (const file of PID_FILES) {
		const pid = Number(await readFile(file, "utf8").catch(() => ""));
		if (!Number.isInteger(pid) || pid <= 1) continue;
		const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
		if (DAEMON.test(name.trim())) process.kill(pid, "SIGHUP");
	}
};

/** Puts the hook into its place by one rename, and has the system's libvirt look for it. Rejects when the file cannot be written. */
export const installHook = async (
	path: string,
	{ hooks, stateDir }: Pick<Config, "hooks" | "stateDir">,
): Promise<void> => {
	await mkdir(dirname(path), { recursive: true, mode: MODE });
	// libvirt takes every file of the directory for a hook: what is being written must not be one yet
	const temporary = join(dirname(dirname(path)), ".knib-hook.new");
	const file = await open(temporary, "w", MODE);
	try {
		await file.writeFile(hookScript(stateDir));
		await file.chmod(MODE);
		await file.sync();
	} finally {
		await file.close();
	}
	await rename(temporary, path);
	if (hooks === SYSTEM_HOOKS) await reload();
};

/** What `init` does about the hook; undefined where it stands already, or libvirt's directory is not known or not there. */
export const hookAct = async (config: Config): Promise<Act | undefined> => {
	const path = hookPath(config);
	if (path === undefined || config.hooks === undefined) return undefined;
	const isThere = await stat(dirname(config.hooks)).then(
		() => true,
		() => false,
	);
	if (!isThere || (await isInstalled(path, config.stateDir))) return undefined;
	const again = config.hooks === SYSTEM_HOOKS ? "" : "; libvirt finds it when it is reloaded";
	const explain = `writes libvirt's hook ${path}, which starts no VM below its overlay${again}`;
	return { explain, apply: () => installHook(path, config) };
};
