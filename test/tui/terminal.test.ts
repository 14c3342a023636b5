// The real program in a real terminal against a real daemon: press, see.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { aPlace, startKnibd } from "../support/daemon-process.ts";
import { runCli } from "../support/run-cli.ts";

const run = promisify(execFile);
const BIN = join(import.meta.dirname, "../../bin/knib.js");

/** A terminal of tmux with its own server. */
const terminal = async (t: ExecutionContext, home: string, command: string) => {
	const socket = join(home, "tmux");
	const tmux = async (...args: readonly string[]): Promise<string> =>
		(await run("tmux", ["-S", socket, "-f", "/dev/null", ...args])).stdout;
	await tmux("-u", "new-session", "-d", "-x", "80", "-y", "24", command);
	t.teardown(() => tmux("kill-server").catch(() => undefined));
	const see = async (what: RegExp): Promise<string> => {
		const until = performance.now() + 20_000;
		for (;;) {
			const text = await tmux("capture-pane", "-p");
			if (what.test(text)) return text;
			if (performance.now() > until) throw new Error(`never saw ${String(what)}:\n${text}`);
			await sleep(100);
		}
	};
	return { see, press: async (...keys: readonly string[]) => tmux("send-keys", ...keys), tmux };
};

const hasTmux = await run("tmux", ["-V"]).then(
	() => true,
	() => false,
);

(hasTmux ? test : test.skip)(
	"terminal › edits a setting, outlives its daemon and gives the terminal back",
	async (t) => {
		const { home, env } = await aPlace(t);
		await runCli(["init", "--repository", join(home, "repo")], env);
		const first = startKnibd(t, env);
		await first.started;
		const words = Object.entries({ ...env, LANG: "C.UTF-8" }).map(
			([name, value]) => `${name}='${value}'`,
		);
		const { see, press } = await terminal(
			t,
			home,
			`env ${words.join(" ")} '${process.execPath}' '${BIN}' tui; echo "left with $?"; exec sleep 60`,
		);
		await see(/NEEDS YOU[\s\S]*RUNS[\s\S]*● connected|● connected[\s\S]*NEEDS YOU/);
		await press("8");
		await see(/backup\.chain\.size +8 backups/);
		await press("e");
		await see(/set backup\.chain\.size/);
		await press("BSpace", "5", "Enter");
		await see(/\$ knib settings set backup\.chain\.size 5/);
		await press("Enter");
		await see(/backup\.chain\.size +5 backups/);
		first.child.kill("SIGKILL");
		await first.ended;
		await see(/no daemon for/);
		const again = startKnibd(t, env);
		await again.started;
		await see(/● connected/);
		await press("q");
		t.regex(await see(/left with/), /left with 0/);
	},
);
