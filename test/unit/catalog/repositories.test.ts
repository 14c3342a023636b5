import { KnibError, type PublishedBackup } from "@knib/core";
import test from "ava";
import { aCatalog } from "../../support/api-world.ts";
import { anOpenChain, backupId, CHAIN, VM_UUID } from "../../support/builders/facts.ts";

const codeOf = (error: unknown): string =>
	error instanceof KnibError ? error.code : String(error);
const all = { all: true } as const;

/** A catalog with the repository `main` at /repo, which holds one chain of `count` backups. */
const withChain = async (count: number) => {
	const world = await aCatalog();
	const directory = world.repositories.add("/repo");
	directory.chains = [anOpenChain(count, {}).chain];
	await (
		await world.books.repositoryChanges.add({ name: "main", path: "/repo", default: false })
	).apply();
	return { ...world, directory };
};

test("repository add › reads what is there, and the first one becomes the default", async (t) => {
	const { books } = await withChain(2);
	t.like(await books.repositories.known(), [{ name: "main", path: "/repo", default: true }]);
	const backups = await books.backups.list(all);
	t.deepEqual(
		backups.map((backup) => [
			backup.id,
			backup.kind,
			backup.status,
			backup.path,
			backup.repository,
		]),
		[
			[backupId(1), "full", "BackedUp", `/repo/${backupId(1)}`, "main"],
			[backupId(2), "incremental", "BackedUp", `/repo/${backupId(2)}`, "main"],
		],
	);
	t.like(await books.backups.findChain(CHAIN), {
		state: "open",
		backups: [backupId(1), backupId(2)],
	});
});

test("repository add › refuses a name, a path and a repository that is known", async (t) => {
	const { books, repositories } = await withChain(1);
	const add = (name: string, path: string) =>
		books.repositoryChanges.add({ name, path, default: false });
	t.is(codeOf(await t.throwsAsync(() => add("main", "/other"))), "EXISTS");
	t.is(codeOf(await t.throwsAsync(() => add("other", "/repo/../repo"))), "EXISTS");
	const twin = repositories.add("/twin");
	twin.id = repositories.at("/repo")?.id ?? "";
	const change = await add("twin", "/twin");
	t.is(codeOf(await t.throwsAsync(() => change.apply())), "EXISTS");
});

test("rescan › takes vanished backups and chains out of the view", async (t) => {
	const { books, directory } = await withChain(3);
	directory.chains = [anOpenChain(2, {}).chain];
	const [found] = await books.rescan(await books.repositories.known());
	t.like(found, { chains: 1, backups: 2, vanished: [backupId(3)], error: null });
	directory.chains = [];
	await books.rescan(await books.repositories.known());
	t.deepEqual(await books.backups.list(all), []);
	t.deepEqual(await books.backups.chains(undefined), []);
});

test("rescan › an unreadable repository changes nothing", async (t) => {
	const { books, directory } = await withChain(2);
	directory.chains = [];
	directory.broken = new KnibError("REPOSITORY_UNREACHABLE", "input/output error");
	const [found] = await books.rescan(await books.repositories.known());
	t.like(found, { error: { code: "REPOSITORY_UNREACHABLE" } });
	t.is((await books.backups.list(all)).length, 2);
	t.like(await books.repositories.view((await books.repositories.known())[0] ?? t.fail()), {
		state: "unreachable",
		backups: 2,
	});
});

test("rescan › what a chain with problems does not show any more is kept", async (t) => {
	const { books, directory } = await withChain(3);
	const problems = ["0003: the manifest cannot be read"];
	directory.chains = [anOpenChain(2, {}, { problems }).chain];
	const [found] = await books.rescan(await books.repositories.known());
	t.like(found, { vanished: [], problems });
	t.is((await books.backups.list(all)).length, 3);
});

test("rescan › a backup that is published while it reads does not vanish", async (t) => {
	const { books, directory } = await withChain(2);
	const [known] = await books.repositories.known();
	const next = anOpenChain(3, {}).chain;
	directory.onRead = async () => {
		directory.onRead = null;
		if (known !== undefined) await books.catalog.recordChain(known, next);
		directory.nextChains = [next];
	};
	const [found] = await books.rescan(await books.repositories.known());
	t.like(found, { backups: 3, vanished: [] });
	t.is((await books.backups.list(all)).length, 3);
});

test("rescan › another repository mounted in its place changes nothing", async (t) => {
	const { books, directory } = await withChain(2);
	directory.id = "0196f000-0000-7000-8000-00000000afff";
	const [found] = await books.rescan(await books.repositories.known());
	t.like(found, { error: { code: "REPOSITORY_INVALID" } });
	t.is((await books.backups.list(all)).length, 2);
});

test("repository remove › takes its view away, says which open chains lie there, and touches no file", async (t) => {
	const { books, directory } = await withChain(2);
	const change = await books.repositoryChanges.remove("main");
	t.regex(change.warnings?.[0] ?? "", /open chain of web01/);
	await change.apply();
	t.deepEqual(await books.repositories.known(), []);
	t.deepEqual(await books.backups.list(all), []);
	t.is(directory.chains.length, 1);
});

test("backups › a part of an id names one backup, or the candidates", async (t) => {
	const { books } = await withChain(3);
	t.is((await books.backups.find(backupId(2).slice(-4))).id, backupId(2));
	const error = await t.throwsAsync(() => books.backups.find("0196"), { instanceOf: KnibError });
	t.is(error?.code, "AMBIGUOUS_ID");
	t.is(Array.isArray(error?.details["candidates"]) ? error.details["candidates"].length : 0, 3);
	t.is(codeOf(await t.throwsAsync(() => books.backups.find("002"))), "NOT_FOUND");
	t.is((await books.backups.latest(VM_UUID)).id, backupId(3));
});

test("backups › a failed one is kept with its error and never hides one that was published", async (t) => {
	const { books } = await withChain(1);
	const error = { code: "REPOSITORY_NO_SPACE", message: "no space" };
	const failed = {
		vm: { uuid: VM_UUID, name: "web01" },
		createdAt: "2026-01-03T00:00:00.000Z",
		reason: "full: first backup",
		error,
		status: "Failed",
	} as const;
	await books.catalog.recordFailed({ ...failed, id: backupId(77) });
	await books.catalog.recordFailed({ ...failed, id: backupId(1) });
	t.like(await books.catalog.backup(backupId(77)), { status: "Failed", error });
	t.like(await books.catalog.backup(backupId(1)), { status: "BackedUp" });
	t.deepEqual(
		(await books.backups.list({ all: false })).map((one) => one.id),
		[backupId(1)],
	);
	const [known] = await books.repositories.known();
	t.deepEqual(await books.catalog.repositoriesOf(VM_UUID), [known?.id]);
});

test("recordChain › a published backup takes the place of its failure", async (t) => {
	const { books, directory } = await withChain(1);
	const known = (await books.repositories.known())[0] ?? t.fail();
	const next = anOpenChain(2, {}).chain;
	const [, second]: readonly (PublishedBackup | undefined)[] = next.members;
	await books.catalog.recordFailed({
		id: second?.manifest.identity.id ?? "",
		vm: { uuid: VM_UUID, name: "web01" },
		createdAt: "2026-01-03T00:00:00.000Z",
		reason: "outcome unknown",
		error: { code: "REPOSITORY_UNREACHABLE", message: "no answer" },
		status: "Unconfirmed",
	});
	directory.chains = [next];
	await books.catalog.recordChain(known, next);
	t.like(await books.catalog.backup(backupId(2)), { status: "BackedUp", error: null });
});
