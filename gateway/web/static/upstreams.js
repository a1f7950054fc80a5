import { every } from "./live.js";

every(5);
