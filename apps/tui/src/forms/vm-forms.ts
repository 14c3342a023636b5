import { changeAct, quoted } from "../app/acts.ts";
import { choice, type FormKind, input, read, vmName } from "./form.ts";

/** The offering of a VM. */
export const assignForm: FormKind = {
	open: (state, { id }) => {
		const names = (state.data.offerings ?? []).map((one) => one.name);
		const now = state.data.vms?.find((one) => one.uuid === id)?.offering ?? "";
		const field =
			names.length === 0
				? input("offering", "offering", now)
				: choice("offering", "offering", names.includes(now) ? now : (names[0] ?? ""), names);
		return { title: `offering of ${vmName(state, id)}`, notes: [`now ${now}`], fields: [field] };
	},
	act: (state, form) => {
		const [vm, offering] = [vmName(state, form.target.id), read(form, "offering")];
		if (offering === "") return "name an offering";
		return changeAct(
			`put ${vm} under offering ${offering}`,
			`knib vm assign ${quoted(vm)} ${quoted(offering)}`,
			{ call: "assign", vm: form.target.id, offering },
		);
	},
};

const KEYS: readonly (readonly [string, string])[] = [
	["backupValidationCommand", "run in the guest to prove a backup"],
	["backupValidationCommandArguments", "its arguments"],
	["backupValidationCommandExpectedResult", "0: exit code 0; else what it prints, in base64"],
	["backupValidationCommandTimeout", "such as 60s"],
	["backupValidationScreenshotWait", "such as 60s, from the start to the picture"],
	["backupValidationBootTimeout", "such as 240s"],
];

/** How a VM's backups are validated. Only what is filled in changes; a lone - takes a value away. */
export const vmSetForm: FormKind = {
	open: (state, { id }) => ({
		title: `how backups of ${vmName(state, id)} are validated`,
		notes: ["only what is filled in changes; a lone - takes a value away"],
		fields: KEYS.map(([key, help]) => input(key, key.replace("backupValidation", ""), "", help)),
	}),
	act: (state, form) => {
		const given = KEYS.flatMap(([key]) => {
			const value = read(form, key);
			return value === "" ? [] : [[key, value === "-" ? "" : value] as const];
		});
		if (given.length === 0) return "fill in what is to change";
		const vm = vmName(state, form.target.id);
		const pairs = given.map(([key, value]) => quoted(`${key}=${value}`)).join(" ");
		return changeAct(`set ${given.length} values of ${vm}`, `knib vm set ${quoted(vm)} ${pairs}`, {
			...{ call: "set-vm", vm: form.target.id, values: Object.fromEntries(given) },
		});
	},
};
