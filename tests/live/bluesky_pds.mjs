// A real PDS with a directory of accounts of its own, on this machine and in memory. It tells its address on one line
// and lives until its standard input is closed.
import { TestNetworkNoAppView } from '@atproto/dev-env'

const network = await TestNetworkNoAppView.create({})
console.log(JSON.stringify({ url: network.pds.url }))
process.stdin.resume()
process.stdin.on('end', async () => {
  await network.close()
  process.exit(0)
})
