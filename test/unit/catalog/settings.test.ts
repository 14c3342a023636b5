import { KnibError } from "@knib/core";
import test from "ava";
import { createSettingBook } from "../../../apps/host-daemon/src/catalog/setting-book.ts";
import { aCatalog, createOffering } from "../../support/api-world.ts";
import { memoryDocuments } from "../../support/memory-documents.ts";

const CLUSTER = { scope: "cluster" } as const;
const HOST = { scope: "host", id: "fe".repeat(32), name: "here" } as const;
const VM = { scope: "vm", id: "11111111-2222-4333-8444-555555555555", name: "web01" } as const;
const codeOf = (error: unknown): string =>
	error instanceof KnibError ? error.code : String(error);

test("settings › VM before offering before host before cluster before default", async (t) => {
	const { books } = await aCatalog();
	const value = async (offering: object) =>
		books.settings.value("backup.chain.size", { vm: VM.id, ...offering });
	const offering = { offering: await createOffering(books, { name: "gold", backupChainSize: 5 }) };
	t.is(await value({}), 8);
	await (await books.settings.set(CLUSTER, "backup.chain.size", "3")).apply();
	t.is(await value({}), 3);
	await (await books.settings.set(HOST, "backup.chain.size", "4")).apply();
	t.is(await value({}), 4);
	t.is(await value(offering), 5);
	await (await books.settings.set(VM, "backup.chain.size", "6")).apply();
	t.is(await value(offering), 6);
	await (await books.settings.unset(VM, "backup.chain.size")).apply();
	t.is(await value(offering), 5);
});

test("settings › are shown with value, unit, scope and source", async (t) => {
	const { books } = await aCatalog();
	await (await books.settings.set(CLUSTER, "backup.trash.grace", "2d")).apply();
	t.deepEqual(await books.settings.show(HOST, "backup.trash.grace"), {
		name: "backup.trash.grace",
		value: 48,
		unit: "h",
		scope: "host",
		source: "cluster",
	});
	t.like(await books.settings.show(CLUSTER, "jobs.keep"), { value: 30, source: "default" });
});

test("settings › are refused at a scope they do not have, and unset only where set", async (t) => {
	const { books } = await aCatalog();
	const set = () => books.settings.set(VM, "jobs.keep", "3");
	t.is(codeOf(await t.throwsAsync(set)), "SETTING_INVALID");
	const unset = () => books.settings.unset(CLUSTER, "jobs.keep");
	t.is(codeOf(await t.throwsAsync(unset)), "NOT_FOUND");
	const unknown = () => books.settings.set(CLUSTER, "backup.size", "3");
	t.is(codeOf(await t.throwsAsync(unknown)), "SETTING_UNKNOWN");
});

test("settings › the configuration file stands in for a default and yields to a set value", async (t) => {
	const book = createSettingBook({
		settings: memoryDocuments(),
		host: { id: HOST.id, name: HOST.name },
		configured: { "host.scratch.directory": "/file/scratch" },
	});
	t.is(await book.value("host.scratch.directory", {}), "/file/scratch");
	t.like(await book.show(HOST, "host.scratch.directory"), { source: "configuration" });
	await (await book.set(CLUSTER, "host.scratch.directory", "/srv/scratch")).apply();
	t.is(await book.value("host.scratch.directory", {}), "/srv/scratch");
});
