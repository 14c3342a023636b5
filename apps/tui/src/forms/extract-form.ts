// Files and directories out of a backup, into a directory of the daemon's host.
import { short } from "@knib/core/text";
import { jobAct, quoted } from "../app/acts.ts";
import { chosenFiles } from "../app/files-place.ts";
import { type FormKind, flag, input, isOn, read } from "./form.ts";

const SHOWN = 4;

/** The names of files, as many as a form has room for. */
const named = (paths: readonly string[]): readonly string[] => [
	...paths.slice(0, SHOWN),
	...(paths.length > SHOWN ? [`and ${paths.length - SHOWN} more`] : []),
];

/** Brings what is marked, or selected, out of a backup. */
export const extractForm: FormKind = {
	open: (state, { id }) => {
		const { backup, paths } = chosenFiles(id);
		const vm = state.data.backups?.find((one) => one.id === backup)?.vm.name;
		const what = paths.length === 1 ? "one file or directory" : `${paths.length} of them`;
		return {
			title: `extract ${what} from backup ${short(backup)}${vm === undefined ? "" : ` of ${vm}`}`,
			notes: named(paths),
			fields: [
				input(
					"directory",
					"into directory",
					`/var/tmp/knib-${short(backup)}`,
					"on the daemon's host; made when its parent is there",
				),
				flag("overwrite", "overwrite", false, "replace files that are there"),
			],
		};
	},
	act: (_, form) => {
		const { backup, disk, partition, paths } = chosenFiles(form.target.id);
		const [directory, overwrite] = [read(form, "directory"), isOn(form, "overwrite")];
		if (!directory.startsWith("/")) return "the directory for the files is an absolute path";
		const cli = [
			`knib files extract ${short(backup)} ${paths.map(quoted).join(" ")} --disk ${disk}`,
			...(partition === null ? [] : [`--partition ${quoted(partition)}`]),
			`--output ${quoted(directory)}`,
			...(overwrite ? ["--overwrite"] : []),
		].join(" ");
		return jobAct(form.title, cli, {
			...{ type: "ExtractFiles", backup, disk, paths: [...paths], directory, overwrite },
			...(partition === null ? {} : { partition }),
		});
	},
};
