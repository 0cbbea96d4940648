// The scenarios of ../sarama against the last release of Shopify: ../run.ts lays them over this folder, with the import
// path changed. This file keeps the module among those that are required.
package main

import _ "github.com/Shopify/sarama"
