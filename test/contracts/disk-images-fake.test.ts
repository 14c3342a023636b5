import { diskImagesContract } from "./disk-images-contract.ts";
import { fakeImageHarness } from "./fake-harness.ts";

diskImagesContract(async () => fakeImageHarness());
