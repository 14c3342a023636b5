// The real program in a real terminal: it acts, it outlives its daemon, and whatever happens it gives the terminal back whole.
import { join } from "node:path";
import test from "ava";
import { widthOf } from "../../apps/tui/src/view/cells.ts";
import { aPlace, startKnibd } from "../support/daemon-process.ts";
import { runCli } from "../support/run-cli.ts";
import { needTmux, openTerminal, startShow } from "./support/tmux.ts";

/** What must never be on the screen. */
const TRACE = /^\s+at .*:\d+:\d+|node:internal|Error:/m;
const HOME = /NEEDS YOU[\s\S]*RUNS/;

test.before(needTmux);

test("terminal › edits a setting, outlives its daemon and gives the terminal back", async (t) => {
	const { home, env } = await aPlace(t);
	await runCli(["init", "--repository", join(home, "repo")], env);
	const first = startKnibd(t, env);
	await first.started;
	const { see, press } = await openTerminal(t, { env, args: [] });
	await see(/● connected[\s\S]*NEEDS YOU[\s\S]*RUNS/);
	await press("8");
	await see(/backup\.chain\.size +8 backups/);
	await press("e");
	await see(/set backup\.chain\.size/);
	await press("BSpace", "5", "Enter");
	await see(
		/sets backup\.chain\.size of the cluster[\s\S]*\$ knib settings set backup\.chain\.size 5/,
	);
	await press("Enter");
	await see(/backup\.chain\.size +5 backups/);
	await see(/undo: knib settings unset backup\.chain\.size/);
	first.child.kill("SIGKILL");
	await first.ended;
	await see(/no daemon for \d+:\d+: data is old/);
	t.regex(await see(/5 backups/), /backup\.chain\.size/);
	await press("e");
	await see(/the daemon cannot be reached/);
	const again = startKnibd(t, env);
	await again.started;
	await see(/● connected/);
	await press("q");
	t.regex(await see(/left with/), /left with 0/);
});

test("terminal › is whole again after a storm of sizes, down to ones that hold nothing", async (t) => {
	const terminal = await openTerminal(t, await startShow(t, ["--reporting", "0"]));
	const before = await terminal.see(/LAST PROOF[\s\S]*web02/);
	for (let n = 0; n < 40; n++) await terminal.resize(3 + ((n * 37) % 180), 1 + ((n * 13) % 60));
	await terminal.resize(40, 10);
	t.notRegex(await terminal.see(/NEEDS YOU/), TRACE);
	await terminal.resize(80, 24);
	t.is(await terminal.seeAgain(before), before);
	await terminal.press("q");
	await terminal.see(/left with 0/);
});

test("terminal › starts on forty columns and ten lines and shows what counts", async (t) => {
	const terminal = await openTerminal(t, { ...(await startShow(t)), width: 40, height: 10 });
	await terminal.see(/NEEDS YOU/);
	for (const key of ["2", "3", "4", "5", "6", "7", "8", "9", "?"]) {
		await terminal.press(key);
		t.notRegex(await terminal.see(/\S/), TRACE);
	}
});

test("terminal › is given back while the program is stopped, and taken again", async (t) => {
	const terminal = await openTerminal(t, await startShow(t));
	await terminal.see(HOME);
	for (const stop of [() => terminal.press("C-z"), () => terminal.signal("SIGTSTP")]) {
		await stop();
		t.notRegex(await terminal.see(/^before/m), HOME);
		t.deepEqual(await terminal.modes(), { other: false, cursor: true });
		await terminal.stopped();
		await terminal.signal("SIGCONT");
		await terminal.see(HOME);
		t.deepEqual(await terminal.modes(), { other: true, cursor: false });
	}
	await terminal.press("2");
	await terminal.see(/AT RISK/);
});

for (const [signal, code] of [
	["SIGTERM", 143],
	["SIGINT", 130],
] as const) {
	test(`terminal › is given back at ${signal}`, async (t) => {
		const terminal = await openTerminal(t, await startShow(t));
		await terminal.see(HOME);
		await terminal.signal(signal);
		const text = await terminal.see(/left with/);
		t.regex(text, new RegExp(`before\\s+left with ${code}`));
		t.notRegex(text, TRACE);
		t.deepEqual(await terminal.modes(), { other: false, cursor: true });
	});
}

test("terminal › that is lost ends the program", async (t) => {
	const terminal = await openTerminal(t, await startShow(t));
	await terminal.see(HOME);
	const gone = terminal.gone();
	await terminal.tmux("kill-server");
	await t.notThrowsAsync(gone);
});

test("terminal › shows every screen of a host with hostile names within its columns, and obeys none of them", async (t) => {
	const show = await startShow(t, ["--hostile", "--vms", "4", "--backups", "40"]);
	const terminal = await openTerminal(t, show);
	const title = await terminal.tmux("display", "-p", "#{pane_title}");
	await terminal.see(/● connected[\s\S]*very-long-name/);
	for (const keys of [
		["2"],
		["Enter"],
		["3"],
		["Enter"],
		["4"],
		["Enter"],
		["5"],
		["Enter"],
		["1"],
	]) {
		await terminal.press(...keys);
		const text = await terminal.see(/ knib /);
		t.notRegex(text, TRACE);
		for (const line of text.split("\n")) t.true(widthOf(line) <= 80, line);
		t.regex(text, /● connected/);
	}
	t.is(await terminal.tmux("display", "-p", "#{pane_title}"), title);
});

test("terminal › draws the screen of a backup in the colours that the terminal has", async (t) => {
	const show = await startShow(t);
	for (const [env, what] of [
		[{ COLORTERM: "truecolor" }, /48;2;\d+;\d+;\d+m▀/],
		[{ TERM: "xterm-256color" }, /48;5;\d+m▀/],
		[{ TERM: "xterm" }, /m▀/],
		[{ NO_COLOR: "1" }, /no colours to draw it: knib\s+backup screenshot/],
	] as const) {
		const terminal = await openTerminal(t, { env: { ...show.env, ...env } });
		await terminal.see(HOME);
		await terminal.press("4");
		await terminal.see(/answered/);
		await terminal.press("/", "answered", "Enter", "Enter");
		await terminal.see(/LADDER OF PROOF/);
		await terminal.press("i");
		await terminal.see(/screen of[\s\S]*(▀|no colours)/);
		t.regex((await terminal.screen("-e")).replaceAll("\u001b", ""), what);
		await terminal.press("q");
		await terminal.see(/left with 0/);
	}
});
