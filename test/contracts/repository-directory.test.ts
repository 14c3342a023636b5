import { openAsHarness } from "../unit/repository/support/directory-harness.ts";
import { repositoryContract } from "./repository-contract.ts";
import { leaseContract } from "./repository-lease-contract.ts";

leaseContract(repositoryContract(openAsHarness));
