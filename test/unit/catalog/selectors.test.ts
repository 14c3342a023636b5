import { isRefusal, KnibError, parseCondition, selectorCreateInputSchema } from "@knib/core";
import { createMemoryStore } from "@knib/sync";
import test from "ava";
import { catalogDocuments } from "../../../apps/host-daemon/src/catalog/create-catalog.ts";
import type { KnownHosts } from "../../../apps/host-daemon/src/catalog/selector-book.ts";
import { fits } from "../../../apps/host-daemon/src/mesh/fitting.ts";
import { aCatalog, createOffering } from "../../support/api-world.ts";
import { aVm } from "../../support/builders/facts.ts";

const HERE = "fe".repeat(32);
const codeOf = (error: unknown): string =>
	error instanceof KnibError ? error.code : String(error);

const hosts: KnownHosts = {
	find: (text) => {
		if (text === "here") return { id: HERE };
		throw new KnibError("NOT_FOUND", `no host ${text}`);
	},
	nameOf: (id) => (id === HERE ? "here" : null),
};

/** A catalog in a store, with a default offering, a default repository `main` and another one, `nas`. */
const aWorld = async () => {
	const store = createMemoryStore({ owner: HERE });
	const world = await aCatalog(undefined, catalogDocuments(store));
	const { books, repositories } = world;
	const [main, nas] = [repositories.add("/repo"), repositories.add("/nas")];
	for (const [name, path] of [
		["main", "/repo"],
		["nas", "/nas"],
	] as const)
		await (await books.repositoryChanges.add({ name, path, default: name === "main" })).apply();
	const offering = await createOffering(books, { name: "default" });
	const create = async (name: string, match: readonly string[], repository = "nas", priority = 1) =>
		(
			await books.selectors.create(
				selectorCreateInputSchema.parse({
					...{ name, repository, priority, match: match.map(parseCondition) },
				}),
				hosts,
			)
		).apply();
	const choose = async (vm = aVm()) => {
		const choice = await books.choices.choose(vm, offering);
		return isRefusal(choice) ? choice.code : choice.repository.name;
	};
	return { ...world, store, main, nas, create, choose };
};

test("choices › the default repository, unless a selector or the offering names another one", async (t) => {
	const { books, create, choose } = await aWorld();
	t.is(await choose(), "main");
	await create("tagged", ["tag=prod", "host=here", "offering=default"]);
	t.is(await choose(), "main");
	t.is(await choose(aVm({ tags: ["prod"] })), "nas");
	const gold = await createOffering(books, { name: "gold", repository: "nas" });
	const own = await books.choices.choose(aVm(), gold);
	t.is(isRefusal(own) ? own.message : own.reason, "offering gold names it");
});

test("choices › a selector's repository that does not answer is an error, and nothing else is chosen", async (t) => {
	const { nas, create, choose } = await aWorld();
	await create("all", ["name=*"]);
	nas.broken = new KnibError("REPOSITORY_UNREACHABLE", "gone");
	t.is(await choose(), "REPOSITORY_UNREACHABLE");
	nas.broken = null;
	nas.free = 10;
	t.is(await choose(), "REPOSITORY_NO_SPACE");
	nas.free = 500;
	t.is(await choose(), "nas");
});

test("selectors › are kept beside the repositories, and neither is taken for the other", async (t) => {
	const { books, store, create } = await aWorld();
	const made = await create("all", ["name=*", "host=here"]);
	t.deepEqual(made.match, ["name=*", "host=here"]);
	t.like(made.repository, { name: "nas", here: true });
	t.deepEqual(
		(await store.list("repository")).map(({ id }) => id.startsWith("selector:")),
		[false, false, true],
	);
	t.is((await books.repositories.everywhere()).length, 2);
	for (const { id, body } of await store.list("repository")) {
		t.true(fits("repository", id, body));
		t.false(fits("repository", id, { ...body, id: "none" }));
	}
	await (await books.selectors.delete(made.id.slice(-6), hosts)).apply();
	t.deepEqual(await books.selectors.list(hosts), []);
	t.is((await books.repositories.known()).length, 2);
});

test("selectors › are listed as they are asked, and an update changes what it names", async (t) => {
	const { books, create } = await aWorld();
	await create("late", ["name=*"], "nas", 50);
	await create("first", ["tag=prod"], "main", 5);
	await create("b", ["name=b"], "nas", 50);
	const names = async () => (await books.selectors.list(hosts)).map(({ name }) => name).join();
	t.is(await names(), "first,b,late");
	const change = await books.selectors.update("late", { priority: 0, repository: "main" }, hosts);
	t.deepEqual(change.explain, [
		"changes the selector late",
		"a new chain of a VM with name=* goes to main, asked at priority 0; open chains stay",
	]);
	t.like(await change.apply(), { match: ["name=*"], priority: 0 });
	t.is(await names(), "late,first,b");
});

test("selectors › a wrong name, repository, host or offering is refused", async (t) => {
	const { create } = await aWorld();
	await create("all", ["name=*"]);
	const failing = async (...args: Parameters<typeof create>) =>
		codeOf(await t.throwsAsync(() => create(...args)));
	t.is(await failing("all", ["name=*"]), "EXISTS");
	t.is(await failing("x", ["name=*"], "nowhere"), "NOT_FOUND");
	t.is(await failing("x", ["host=there"]), "NOT_FOUND");
	t.is(await failing("x", ["offering=gold"]), "NOT_FOUND");
});

for (const given of [
	"web*",
	"=web",
	"colour=red",
	"name=",
	"name=a\nb",
	`tag=${"x".repeat(201)}`,
]) {
	test(`parseCondition › ${JSON.stringify(given).slice(0, 20)} is refused with the accepted form`, (t) => {
		const error = t.throws(() => parseCondition(given), { instanceOf: KnibError });
		t.is(error?.code, "USAGE");
		t.regex(String(error?.details["hint"]), /name=…, tag=…, host=…, offering=…/);
	});
}

test("parseCondition › a value may hold further equals signs", (t) => {
	t.deepEqual(parseCondition("tag=tier=gold"), { by: "tag", value: "tier=gold" });
});

test("repository remove › is refused while a selector names it", async (t) => {
	const { books, create } = await aWorld();
	await create("all", ["name=*"]);
	const error = await t.throwsAsync(() => books.repositoryChanges.remove("nas"), {
		instanceOf: KnibError,
	});
	t.is(error?.code, "REFUSED");
	t.regex(error?.message ?? "", /named by the selector all$/);
	t.regex(String(error?.details["hint"]), /knib selector update/);
	await (await books.selectors.delete("all", hosts)).apply();
	await t.notThrowsAsync(() => books.repositoryChanges.remove("nas"));
});

test("selectors › one whose repository only another host has is shown so, and refuses here", async (t) => {
	const { books, documents, create, choose } = await aWorld();
	const id = "0196f000-0000-7000-8000-00000000afff";
	await documents.repositories.put({ id, name: "far" });
	t.like((await create("all", ["name=*"], "far")).repository, { name: "far", here: false });
	t.is(await choose(), "REFUSED");
	const change = await books.selectors.update("all", { priority: 3 }, hosts);
	t.regex(change.warnings?.[0] ?? "", /this host does not have that repository/);
});
