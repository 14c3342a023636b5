// Selectors from the command line, over a real socket.
import type { SelectorExplained, SelectorView } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { apiWorld } from "../support/api-world.ts";
import { aVm } from "../support/builders/facts.ts";
import { aMeshHost, connectedTo, type MeshHost, pair, until } from "../support/mesh-hosts.ts";
import { runCli } from "../support/run-cli.ts";

const aWorld = async (t: ExecutionContext) => {
	const vms = [aVm({ tags: ["prod", "a \u001b[31mred\u001b[0m tag"] })];
	const world = await apiWorld({ vms });
	t.teardown(world.close);
	for (const [name, path] of [
		["main", "/repo"],
		["nas", "/nas"],
	] as const) {
		const change = await world.books.repositoryChanges.add({ name, path, default: false });
		await change.apply();
	}
	const knib = (...args: readonly string[]) => runCli(args, { KNIB_SOCKET: world.socket });
	return { ...world, knib };
};

test("selector › explain names every selector, what holds of it, and where the next chain goes", async (t) => {
	const { knib } = await aWorld(t);
	const explained = async () =>
		JSON.parse((await knib("selector", "explain", "web01", "--json")).stdout) as SelectorExplained;
	t.like(await explained(), { selectors: [], repository: { name: "main" }, error: null });
	const create = (...args: readonly string[]) => knib("selector", "create", ...args);
	const made = await create(
		"tagged",
		"--match",
		"tag=prod",
		"--match",
		"host=here",
		"--repository",
		"nas",
		"--priority",
		"5",
		"--json",
	);
	t.is(made.code, 0, made.stdout);
	t.like(JSON.parse(made.stdout), {
		name: "tagged",
		match: ["tag=prod", "host=here"],
		priority: 5,
	});
	t.is((await create("dbs", "--match", "name=db*", "--repository", "main")).code, 0);
	const found = await explained();
	t.deepEqual(
		found.selectors.map(({ name, matches, why }) => [name, matches, ...why]),
		[
			["tagged", true, "tag=prod holds", "host=here holds"],
			["dbs", false, "name=db* does not hold"],
		],
	);
	t.like(found.repository, { name: "nas" });
	t.regex(found.reason ?? "", /^selector tagged names it/);
	const text = await knib("selector", "explain", "web01");
	t.regex(text.stdout, /^VM web01: offering default, tags prod, a \\x1b\[31mred/);
	t.regex(text.stdout, /the next chain: repository nas, selector tagged names it/);
	t.false(text.stdout.includes("\u001b"));
});

test("selector › a repository that does not answer is explained, with what to do", async (t) => {
	const { knib, repositories } = await aWorld(t);
	await knib("selector", "create", "all", "--match", "name=*", "--repository", "nas");
	const nas = repositories.at("/nas");
	if (nas !== undefined) nas.writable = false;
	const run = await knib("selector", "explain", "web01");
	t.is(run.code, 0);
	t.regex(run.stdout, /the next chain: none\. selector all names repository nas, which cannot/);
	t.regex(run.stdout, /\/nas cannot be written; mend the repository, or change the selector/);
});

test("selector › a dry run changes nothing; update and delete do what they say", async (t) => {
	const { knib } = await aWorld(t);
	const dry = await knib(
		"selector",
		"create",
		"x",
		"--match",
		"name=*",
		"--repository",
		"nas",
		"--dry-run",
	);
	t.regex(dry.stdout, /a new chain of a VM with name=\* goes to nas/);
	t.deepEqual(JSON.parse((await knib("selector", "list", "--json")).stdout), []);
	await knib("selector", "create", "x", "--match", "name=*", "--repository", "nas");
	t.is((await knib("selector", "update", "x", "--name", "y", "--match", "tag=a")).code, 0);
	const [listed] = JSON.parse((await knib("selector", "list", "--json")).stdout) as SelectorView[];
	t.like(listed, { name: "y", match: ["tag=a"], priority: 100 });
	t.is((await knib("repository", "remove", "nas")).code, 6);
	t.is((await knib("selector", "delete", "y")).stdout, "selector y is deleted\n");
	t.is((await knib("selector", "delete", "y")).code, 4);
});

for (const [args, code] of [
	[["create", "x", "--match", "web*", "--repository", "nas"], 2],
	[["create", "x", "--match", "size=3", "--repository", "nas"], 2],
	[["create", "x", "--repository", "nas"], 2],
	[["create", "x", "--match", "name=*", "--repository", "nas", "--priority", "-1"], 2],
	[["create", "x", "--match", "name=*", "--repository", "nowhere"], 4],
	[["create", "x", "--match", "host=nobody", "--repository", "nas"], 4],
	[["update", "x"], 2],
	[["update", "x", "--priority", "3"], 4],
	[["explain", "nobody"], 4],
] as const) {
	test(`selector › ${args.join(" ")} exits ${code} and says what to do`, async (t) => {
		const { knib } = await aWorld(t);
		const run = await knib("selector", ...args);
		t.is(run.code, code);
		t.is(run.stdout, "");
		t.regex(run.stderr, /^knib: .+\n( {2}.+\n)* {2}next: .+\n/);
	});
}

const shown = async (host: MeshHost) => JSON.stringify(await host.api.selector.list.query());

test.serial(
	"selector › two hosts merge changes of different fields and list what both changed",
	async (t) => {
		t.timeout(300_000);
		const [a, b] = [await aMeshHost(t, "alpha"), await aMeshHost(t, "beta")];
		await pair(a, b);
		for (const host of [a, b]) await connectedTo(host, 1);
		const path = `${a.home}/nas`;
		await a.api.repository.add.mutate({ name: "nas", path });
		const match = [{ by: "host", value: "beta" }] as const;
		await a.api.selector.create.mutate({ name: "far", match: [...match], repository: "nas" });
		const far = await until(
			"the selector",
			() => b.api.selector.list.query(),
			([one]) => one?.repository.name === "nas",
		);
		t.like(far[0], { match: ["host=beta"], repository: { here: false } });
		for (const { gate } of [a, b]) gate.shut();
		for (const host of [a, b]) await connectedTo(host, 0);
		await a.api.selector.update.mutate({ selector: "far", changes: { priority: 1 } });
		const changes = { priority: 2, match: [{ by: "tag" as const, value: "prod" }] };
		await b.api.selector.update.mutate({ selector: "far", changes });
		for (const { gate } of [a, b]) gate.open();
		for (const host of [a, b]) await connectedTo(host, 1);
		const conflicts = await until(
			"the conflict",
			() => a.api.peer.conflicts.query(),
			(all) => all.length > 0,
		);
		t.like(conflicts, [{ kind: "selector", name: "far", field: "priority" }]);
		await until(
			"both to agree",
			async () => [await shown(b), (await shown(a)).replace('"here":true', '"here":false')],
			([x, y]) => x === y,
		);
		t.regex(await shown(a), /tag=prod/);
		await a.api.selector.delete.mutate({ selector: "far" });
		await until(
			"the deletion",
			() => b.api.selector.list.query(),
			(all) => all.length === 0,
		);
	},
);

test.serial("repository remove › what another host has is not forgotten", async (t) => {
	t.timeout(300_000);
	const [a, b] = [await aMeshHost(t, "alpha"), await aMeshHost(t, "beta")];
	await pair(a, b);
	for (const host of [a, b]) await connectedTo(host, 1);
	const path = `${a.home}/nas`;
	await a.api.repository.add.mutate({ name: "nas", path });
	await b.api.repository.add.mutate({ name: "nas", path });
	const digests = async (host: MeshHost) => JSON.stringify(await host.api.peer.digest.query());
	await until(
		"equal replicas",
		async () => [await digests(a), await digests(b)],
		([x, y]) => x === y,
	);
	await a.api.repository.remove.mutate({ repository: "nas" });
	await until(
		"equal replicas",
		async () => [await digests(a), await digests(b)],
		([x, y]) => x === y,
	);
	t.deepEqual(
		(await b.api.repository.list.query()).map(({ name }) => name),
		["nas"],
	);
	t.deepEqual(await a.api.repository.list.query(), []);
});
