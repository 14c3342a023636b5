// From a filled form to the act it means. Pure.
import type { JobRequestInput } from "@knib/core";
import { short } from "@knib/core/text";
import { type Act, changeAct, jobAct, quoted } from "./acts.ts";
import type { Modal, State } from "./state.ts";

type Form = Extract<Modal, { kind: "form" }>;

const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== "");

const backupForm = (form: Form, vm: string, read: (name: string) => string): Act => {
	const [isolated, quiesce] = [read("isolated") !== "", read("quiesce") !== ""];
	const [disks, excludeDisks, labels] = [
		words(read("disks")),
		words(read("excludeDisks")),
		words(read("labels")),
	];
	const cli = [
		"knib backup create",
		quoted(vm),
		...(isolated ? ["--isolated"] : []),
		...(quiesce ? ["--quiesce"] : []),
		...disks.map((disk) => `--disk ${quoted(disk)}`),
		...excludeDisks.map((disk) => `--exclude-disk ${quoted(disk)}`),
		...labels.map((label) => `--label ${quoted(label)}`),
	].join(" ");
	return jobAct(form.title, cli, {
		type: "Backup",
		vm: form.target.id,
		isolated,
		quiesce,
		disks,
		excludeDisks,
		labels,
	});
};

const restoreForm = (form: Form, read: (name: string) => string): Act | string => {
	const name = read("name").trim();
	const storage = read("storage").trim();
	if (name === "") return "the new VM needs a name";
	if (storage !== "" && !storage.startsWith("/")) return "a storage directory is an absolute path";
	const pairs = words(read("networks")).map((word) => word.split("="));
	if (pairs.some(([from, to, ...more]) => !from || !to || more.length > 0))
		return "networks are written A=B";
	const [keepMac, start] = [read("keepMac") !== "", read("start") !== ""];
	const cli = [
		`knib restore new ${short(form.target.id)} --as ${quoted(name)}`,
		...(storage === "" ? [] : [`--storage ${quoted(storage)}`]),
		...pairs.map((pair) => `--network ${quoted(pair.join("="))}`),
		...(keepMac ? ["--keep-mac"] : []),
		...(start ? ["--start"] : []),
	].join(" ");
	const request: JobRequestInput = {
		type: "Restore",
		mode: "new",
		backup: form.target.id,
		name,
		...(storage === "" ? {} : { storage }),
		networks: Object.fromEntries(pairs.map(([from = "", to = ""]) => [from, to])),
		keepMac,
		start,
	};
	return jobAct(form.title, cli, request);
};

/** The act that a form means, or what is wrong with it in words. */
export const actOfForm = (state: State, form: Form): Act | string => {
	const read = (name: string): string => form.fields.find((one) => one.name === name)?.value ?? "";
	const { id } = form.target;
	const vm = state.data.vms?.find((one) => one.uuid === id)?.name ?? id;
	if (form.purpose === "backup") return backupForm(form, vm, read);
	if (form.purpose === "restore") return restoreForm(form, read);
	if (form.purpose === "setting") {
		const value = read("value");
		return changeAct(form.title, `knib settings set ${id} ${quoted(value)}`, {
			call: "set",
			name: id,
			value,
		});
	}
	const offering = read("offering").trim();
	if (offering === "") return "name an offering";
	return changeAct(
		`put ${vm} under offering ${offering}`,
		`knib vm assign ${quoted(vm)} ${quoted(offering)}`,
		{ call: "assign", vm: id, offering },
	);
};
