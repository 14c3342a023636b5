import { KnibError, offeringFilterSchema, type ValidationStep } from "@knib/core";
import test from "ava";
import { aCatalog, createOffering } from "../../support/api-world.ts";
import { aVm } from "../../support/builders/facts.ts";

const all = offeringFilterSchema.parse({});
const codeOf = (error: unknown): string =>
	error instanceof KnibError ? error.code : String(error);

test("offerings › names are unique among the living ones", async (t) => {
	const { books } = await aCatalog();
	await createOffering(books, { name: "gold" });
	t.is(codeOf(await t.throwsAsync(() => createOffering(books, { name: "gold" }))), "EXISTS");
	await (await books.offerings.delete("gold")).apply();
	await t.notThrowsAsync(() => createOffering(books, { name: "gold" }));
});

test("offerings › preparing a change changes nothing", async (t) => {
	const { books } = await aCatalog();
	await createOffering(books, { name: "base" });
	const change = await books.offerings.clone("base", "gold");
	t.deepEqual(change.explain, ["creates gold with the fields of base"]);
	t.like(await books.offerings.list(all), [{ name: "base" }]);
	t.is((await books.offerings.list(all)).length, 1);
});

test("offerings › delete is refused while a VM is assigned", async (t) => {
	const { books } = await aCatalog();
	await createOffering(books, { name: "default" });
	await createOffering(books, { name: "gold" });
	await (await books.vms.assign(aVm(), "gold")).apply();
	const error = await t.throwsAsync(() => books.offerings.delete("gold"));
	t.is(codeOf(error), "REFUSED");
	t.regex(error?.message ?? "", /assigned to 1 VM$/);
	await (await books.vms.unassign(aVm())).apply();
	await t.notThrowsAsync(async () => (await books.offerings.delete("gold")).apply());
});

test("offerings › a deleted one stays readable by its whole id and is hidden otherwise", async (t) => {
	const { books } = await aCatalog();
	const gold = await createOffering(books, { name: "gold" });
	await (await books.offerings.delete("gold")).apply();
	t.deepEqual(await books.offerings.list(all), []);
	t.like(await books.offerings.list({ ...all, showRemoved: true }), [{ name: "gold" }]);
	t.is((await books.offerings.show(gold.id)).name, "gold");
	t.is(codeOf(await t.throwsAsync(() => books.offerings.show("gold"))), "NOT_FOUND");
	t.is(codeOf(await t.throwsAsync(() => books.offerings.delete(gold.id))), "REFUSED");
});

test("offerings › the default one cannot be deleted or renamed", async (t) => {
	const { books } = await aCatalog();
	await createOffering(books, { name: "default" });
	t.is(codeOf(await t.throwsAsync(() => books.offerings.delete("default"))), "REFUSED");
	const rename = () => books.offerings.update("default", { name: "other" });
	t.is(codeOf(await t.throwsAsync(rename)), "REFUSED");
	t.is((await books.vms.offeringOf(aVm().uuid)).name, "default");
});

test("offerings › an update changes what it names and takes away what is null", async (t) => {
	const { books } = await aCatalog();
	await createOffering(books, { name: "gold", backupChainSize: 3, compress: true });
	const change = await books.offerings.update("gold", { backupChainSize: null, validate: true });
	const after = await change.apply();
	t.false(Object.hasOwn(after, "backupChainSize"));
	t.like(after, { name: "gold", compress: true, validate: true });
});

test("offerings › steps are kept in the order in which they run", async (t) => {
	const { books } = await aCatalog();
	const steps: ValidationStep[] = ["execute_command", "wait_for_boot"];
	const gold = await createOffering(books, { name: "gold", validationSteps: steps });
	t.deepEqual(gold.validationSteps, ["wait_for_boot", "execute_command"]);
});

test("offerings › filters are those of SPEC 1", async (t) => {
	const { books } = await aCatalog();
	await createOffering(books, { name: "a", compress: true });
	await createOffering(books, { name: "b", validate: true, allowQuickRestore: true });
	const names = async (filter: object) =>
		(await books.offerings.list({ ...all, ...filter })).map((offering) => offering.name);
	t.deepEqual(await names({ compress: true }), ["a"]);
	t.deepEqual(await names({ compress: false }), ["b"]);
	t.deepEqual(await names({ allowQuickRestore: true, validate: true }), ["b"]);
	t.deepEqual(await names({ allowExtractFile: true }), []);
});

test("offerings › a clone has the fields and an id of its own", async (t) => {
	const { books } = await aCatalog();
	const gold = await createOffering(books, { name: "gold", backupChainSize: 3 });
	const copy = await (await books.offerings.clone("gold", "silver")).apply();
	t.like(copy, { name: "silver", backupChainSize: 3 });
	t.not(copy.id, gold.id);
});

test("offerings › a repository is named by name and kept by id", async (t) => {
	const { books } = await aCatalog();
	const add = await books.repositoryChanges.add({ name: "nas", path: "/nas", default: false });
	const { id } = await add.apply();
	t.is((await createOffering(books, { name: "gold", repository: "nas" })).repository, id);
	const unknown = () => createOffering(books, { name: "silver", repository: "elsewhere" });
	t.is(codeOf(await t.throwsAsync(unknown)), "NOT_FOUND");
	const removal = () => books.repositoryChanges.remove("nas");
	t.is(codeOf(await t.throwsAsync(removal)), "REFUSED");
});

test("assignments › refused while the VM has a memory snapshot", async (t) => {
	const { books } = await aCatalog();
	await createOffering(books, { name: "default" });
	const vm = aVm({
		snapshots: [{ name: "before upgrade", memory: true, files: [], frozen: [] }],
	});
	const error = await t.throwsAsync(() => books.vms.assign(vm, "default"));
	t.is(codeOf(error), "VM_STATE");
	t.regex(error?.message ?? "", /before upgrade/);
});

test("assignments › a VM that is not assigned cannot be unassigned", async (t) => {
	const { books } = await aCatalog();
	t.is(codeOf(await t.throwsAsync(() => books.vms.unassign(aVm()))), "REFUSED");
});
