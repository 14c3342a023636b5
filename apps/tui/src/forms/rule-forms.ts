// Forms of what happens by itself: schedules and selectors.
import { changeAct, quoted } from "../app/acts.ts";
import { choice, type FormKind, flag, input, isOn, read } from "./form.ts";

/** A new schedule. */
export const createScheduleForm: FormKind = {
	open: () => ({
		title: "new schedule",
		notes: ["every host carries it out for the VMs that it has"],
		fields: [
			input("name", "name"),
			input("cron", "when", "30 2 * * *", "minute hour day month weekday, or @daily"),
			input("timezone", "time zone", "", "such as Europe/Berlin; empty: this host's"),
			input("vm", "VMs", "*", "by name; * is any text, ? one character"),
			input("tag", "with tag", "", "only VMs with this <knib:tag>"),
			flag("isolated", "isolated", false, "backups that stand alone"),
		],
	}),
	act: (_, form) => {
		const [name, cron, vm] = [read(form, "name"), read(form, "cron"), read(form, "vm")];
		if (name === "" || cron === "" || vm === "") return "name it, and say when and which VMs";
		const [timezone, tag] = [read(form, "timezone"), read(form, "tag")];
		const isolated = isOn(form, "isolated");
		const cli = [
			`knib schedule create ${quoted(name)} --cron ${quoted(cron)} --vm ${quoted(vm)}`,
			...(timezone === "" ? [] : [`--tz ${quoted(timezone)}`]),
			...(tag === "" ? [] : [`--tag ${quoted(tag)}`]),
			...(isolated ? ["--isolated"] : []),
		].join(" ");
		const fields = {
			...{ name, cron, vm, isolated },
			...(timezone === "" ? {} : { timezone }),
			...(tag === "" ? {} : { tag }),
		};
		const undo = `knib schedule delete ${quoted(name)}`;
		return changeAct(`new schedule ${name}`, cli, { call: "create-schedule", fields }, { undo });
	},
};

const FIELDS = ["name", "tag", "host", "offering"] as const;

/** A new selector: one condition a field, and all must hold. */
export const createSelectorForm: FormKind = {
	open: (state) => {
		const names = (state.data.repositories ?? []).map(({ name }) => name);
		return {
			title: "new selector",
			notes: ["all conditions that are filled in must hold; the smallest priority counts first"],
			fields: [
				input("selector", "selector", "", "what it is called"),
				names.length === 0
					? input("repository", "repository")
					: choice("repository", "repository", names[0] ?? "", names),
				input("priority", "priority", "100"),
				input("name", "VM's name", "", "* is any text, ? one character"),
				input("tag", "tag", "", "a <knib:tag> of the VM"),
				input("host", "host", "", "name or id"),
				input("offering", "offering", "", "name or id"),
			],
		};
	},
	act: (_, form) => {
		const [name, repository] = [read(form, "selector"), read(form, "repository")];
		if (name === "" || repository === "") return "name the selector and its repository";
		const priority = Number(read(form, "priority"));
		if (!Number.isInteger(priority)) return "the priority is a whole number";
		const match = FIELDS.flatMap((by) => {
			const value = read(form, by);
			return value === "" ? [] : [{ by, value }];
		});
		if (match.length === 0) return "fill in at least one condition";
		const cli = [
			`knib selector create ${quoted(name)}`,
			...match.map(({ by, value }) => `--match ${quoted(`${by}=${value}`)}`),
			`--repository ${quoted(repository)} --priority ${priority}`,
		].join(" ");
		const fields = { name, repository, priority, match };
		const undo = `knib selector delete ${quoted(name)}`;
		return changeAct(`new selector ${name}`, cli, { call: "create-selector", fields }, { undo });
	},
};
