// Every command is reachable in the terminal interface, or says why it is not; and every key there has its command.
import { readFile } from "node:fs/promises";
import test from "ava";
import { z } from "zod";
import { KEYMAP } from "../../../apps/tui/src/keymap/keymap.ts";
import { SCREENS } from "../../../apps/tui/src/screens/index.ts";

type Reach =
	/** Keys on a thing: context and action. */
	| { readonly acts: readonly (readonly [string, string])[] }
	| { readonly screen: keyof typeof SCREENS }
	| { readonly why: string };

const on = (context: string, ...actions: readonly string[]): Reach => ({
	acts: actions.map((action) => [context, action] as const),
});
const at = (screen: keyof typeof SCREENS): Reach => ({ screen });
const not = (why: string): Reach => ({ why });

const SHELL = "it is for a shell, before or without a daemon";

const REACH: Readonly<Record<string, Reach>> = {
	"backup:compress": on("backup", "compress"),
	"backup:create": on("vm", "backup"),
	"backup:delete": on("backup", "delete", "consolidate"),
	"backup:list": at("backups"),
	"backup:pin": on("backup", "pin"),
	"backup:screenshot": on("backup", "screen"),
	"backup:show": at("backup"),
	"backup:undelete": on("backup", "undelete"),
	"backup:unpin": on("backup", "unpin"),
	"backup:validate": on("backup", "validate", "validate-with"),
	benchmark: not("it loads the host for a minute and is read once"),
	"chain:finish": {
		acts: [
			["vm", "finish"],
			["chain", "finish-chain"],
		],
	},
	"chain:list": at("chains"),
	"chain:show": at("chain"),
	"chain:verify": on("chain", "verify"),
	"daemon:run": not(SHELL),
	doctor: at("doctor"),
	"event:list": at("events"),
	"files:extract": on("file", "extract"),
	"files:list": on("backup", "files"),
	"files:log": not(
		"it answers about one path in all backups, which a list of files has no place for",
	),
	"host:list": at("hosts"),
	"host:show": at("hosts"),
	init: not(SHELL),
	"job:cancel": on("job", "cancel"),
	"job:list": at("jobs"),
	"job:log": at("job"),
	"job:retry": on("job", "retry"),
	"job:show": at("job"),
	"job:watch": at("job"),
	"offering:clone": on("offering", "clone"),
	"offering:create": on("offering", "add"),
	"offering:delete": on("offering", "delete"),
	"offering:list": at("offerings"),
	"offering:show": at("offerings"),
	"offering:update": on("offering", "edit"),
	"peer:conflicts": not(
		"nothing is decided there: setting the field again, with its own key, ends it",
	),
	"peer:invite": on("peer", "invite"),
	"peer:join": on("peer", "join"),
	"peer:list": at("peers"),
	"peer:remove": on("peer", "remove"),
	"peer:role": on("peer", "role"),
	"peer:rotate-key": on("peer", "rotate-key"),
	"peer:show": at("peers"),
	"repository:add": on("repository", "add"),
	"repository:list": at("repositories"),
	"repository:remove": on("repository", "remove"),
	"repository:rescan": on("repository", "rescan"),
	"repository:show": at("repositories"),
	"repository:verify": on("repository", "verify"),
	"restore:confirm": on("vm", "restore-confirm"),
	"restore:disk": on("backup", "restore-disk"),
	"restore:new": on("backup", "restore"),
	"restore:plan": not("it is written as a file, beforehand"),
	"restore:undo": on("vm", "restore-undo"),
	"restore:vm": on("backup", "restore-in-place"),
	"retention:apply": not("knibd does it each hour; the screen shows what it will do"),
	"retention:preview": at("retention"),
	"schedule:create": on("schedule", "add"),
	"schedule:delete": on("schedule", "delete"),
	"schedule:list": at("schedules"),
	"schedule:preview": at("schedules"),
	"schedule:update": not("a schedule is deleted and made anew: its backups stay"),
	"selector:create": on("selector", "add"),
	"selector:delete": on("selector", "delete"),
	"selector:explain": not("a backup's dry run says it, in the consent to back up"),
	"selector:list": at("selectors"),
	"selector:update": not("a selector is deleted and made anew: chains stay where they are"),
	"settings:get": at("settings"),
	"settings:list": at("settings"),
	"settings:set": on("setting", "set"),
	"settings:unset": on("setting", "unset"),
	status: at("dashboard"),
	tui: at("dashboard"),
	"vm:assign": on("vm", "assign"),
	"vm:list": at("vms"),
	"vm:set": on("vm", "set-vm"),
	"vm:show": at("vm"),
	"vm:unassign": on("vm", "unassign"),
};

const manifest = z.looseObject({ commands: z.record(z.string(), z.unknown()) });
const isRow = (context: string, action: string): boolean =>
	KEYMAP.some((one) => one.context === context && one.action === action);

test("reach › says of every command where it is in the interface, and of nothing else", async (t) => {
	const file = new URL("../../../oclif.manifest.json", import.meta.url);
	const { commands } = manifest.parse(JSON.parse(await readFile(file, "utf8")));
	t.deepEqual(Object.keys(REACH).sort(), Object.keys(commands).sort());
});

for (const [command, reach] of Object.entries(REACH)) {
	test(`reach › of ${command.replace(":", " ")} is there`, (t) => {
		if ("acts" in reach)
			for (const [context, action] of reach.acts) t.true(isRow(context, action), action);
		else if ("screen" in reach) t.true(Object.hasOwn(SCREENS, reach.screen));
		else t.regex(reach.why, /^.{20,}$/);
	});
}

test("reach › every key that changes something does what a command does", (t) => {
	const named = new Set(
		Object.values(REACH).flatMap((one) =>
			"acts" in one ? one.acts.map(([context, action]) => `${context} ${action}`) : [],
		),
	);
	for (const { context, action, changes } of KEYMAP)
		if (changes) t.true(named.has(`${context} ${action}`), `${context} ${action}`);
});

test("reach › every screen of its own is gone to by a key or a name", (t) => {
	const within = new Set(["vm", "chain", "backup", "job", "screen", "files"]);
	for (const screen of Object.keys(SCREENS))
		if (!within.has(screen)) t.true(isRow("global", `go-${screen}`), screen);
});
