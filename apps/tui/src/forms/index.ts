import type { FormPurpose, TargetKind } from "../app/state.ts";
import { backupForm, restoreForm, validateForm, verifyForm } from "./backup-forms.ts";
import { extractForm } from "./extract-form.ts";
import type { Forms } from "./form.ts";
import {
	addRepositoryForm,
	cloneOfferingForm,
	createOfferingForm,
	updateOfferingForm,
} from "./offering-forms.ts";
import { peerInviteForm, peerJoinForm, peerRoleForm } from "./peer-forms.ts";
import { restoreDiskForm } from "./restore-disk-form.ts";
import { restoreInPlaceForm } from "./restore-in-place-form.ts";
import { createScheduleForm, createSelectorForm } from "./rule-forms.ts";
import { settingForm, unsetSettingForm } from "./setting-forms.ts";
import { assignForm, vmSetForm } from "./vm-forms.ts";

/** Every form by what it is for. */
export const FORMS: Forms = {
	backup: backupForm,
	validate: validateForm,
	restore: restoreForm,
	"restore-in-place": restoreInPlaceForm,
	"restore-disk": restoreDiskForm,
	setting: settingForm,
	"setting-unset": unsetSettingForm,
	assign: assignForm,
	"vm-set": vmSetForm,
	"offering-create": createOfferingForm,
	"offering-update": updateOfferingForm,
	"offering-clone": cloneOfferingForm,
	"repository-add": addRepositoryForm,
	verify: verifyForm,
	"peer-invite": peerInviteForm,
	"peer-join": peerJoinForm,
	"peer-role": peerRoleForm,
	"schedule-create": createScheduleForm,
	"selector-create": createSelectorForm,
	extract: extractForm,
};

const OF_ACTION: Readonly<Partial<Record<TargetKind, Readonly<Record<string, FormPurpose>>>>> = {
	vm: { backup: "backup", assign: "assign", "set-vm": "vm-set" },
	backup: {
		restore: "restore",
		"restore-in-place": "restore-in-place",
		"restore-disk": "restore-disk",
		"validate-with": "validate",
	},
	setting: { set: "setting", unset: "setting-unset" },
	file: { extract: "extract" },
	peer: { invite: "peer-invite", join: "peer-join", role: "peer-role" },
	schedule: { add: "schedule-create" },
	selector: { add: "selector-create" },
	offering: { add: "offering-create", edit: "offering-update", clone: "offering-clone" },
	repository: { add: "repository-add", verify: "verify" },
};

/** The form that an action on a target opens; undefined where it needs none. */
export const purposeOf = (kind: TargetKind, action: string): FormPurpose | undefined =>
	OF_ACTION[kind]?.[action];

const MANY: ReadonlySet<FormPurpose> = new Set<FormPurpose>([
	...(["backup", "validate", "assign", "vm-set"] as const),
]);
/** Whether what is filled in can be meant for several at once. */
export const takesMany = (purpose: FormPurpose): boolean =>
	MANY.has(purpose) || purpose === "extract";

const NEW: ReadonlySet<FormPurpose> = new Set<FormPurpose>([
	...(["offering-create", "repository-add", "peer-invite", "peer-join"] as const),
	...(["schedule-create", "selector-create"] as const),
]);
/** Whether it makes something that is not there yet, whatever is marked. */
export const makesNew = (purpose: FormPurpose): boolean => NEW.has(purpose);
