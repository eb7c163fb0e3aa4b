"""Words that end with a full stop without ending a sentence. Data for `sentences.py` only; no rules here.

Written by hand from common usage of each language; a word belongs here only if it is read as an abbreviation
far more often than as a word that closes a sentence.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Always followed by the name they belong to: never the end of a sentence.
TITLES = _words("""
tp tx tt ts tskh pgs gs ths bs bsck bscki bsckii ds ls cn ks kts ls nsnd nsưt ngnd ngưt ncs ng đc đ/c kp
mr mrs ms messrs dr prof st gov sen rep rev hon col gen capt lt sgt maj pres supt vs mt ft
mm mme mlle mmes mgr me pr
hr fr dipl
sra srta srs dña ud uds lic ing arq
drs drg ir kh hj kol bpk sdr tgk jl jln kab kec kel prov ny
av doç yrd uzm alb bkz örn mah cad sok
dott sig avv
mio mrd
""")

# The few of these that are also written in lower case; "Me." is a French lawyer, "me." ends an English sentence.
LOWER_TITLES = _words("tp tx ts pgs gs ths bs ks ng đc đ/c vs ft ud uds mio mrd bkz örn prof dr gov")

# Followed by a number, a date or a lower-case word; before anything else they do close the sentence.
NUMBERED = _words("""
p c no nos nr núm num fig figs vol vols pp pg pág art arts al. ch chap sec sect para approx est ca min max réf éd ed tél tel
jan feb mar apr jun jul aug sept sep oct nov dec mon tue tues wed thu thur thurs fri sat sun
abs bzw usw vgl evtl ggf inkl bd std rp hlm hal tgl env ex tr đt qđ bkz
""")

# May close a sentence: they do when a word follows that usually opens one (STARTERS).
TRAILING = _words("""
inc ltd co corp jr sr etc al bros llc plc tbk dept gmbh cie ave blvd rd hwy assn intl đ vnđ
""")

# Beginnings of Vietnamese names that are no syllable by themselves: "Ng. Văn Bảy". Written with a capital.
NAME_BEGINNINGS = _words("Ch Gi Kh Ng Nh Ph Qu Th Tr")

HEADINGS = _words("điều chương mục phần bài khoản article chapter section")  # with their number: "Điều 5. Phạm vi"

COMPANY = _words("inc ltd corp co group media research")  # after a name that carries its own mark: "Hop! Ltd."

TIME_FOLLOWERS = _words("""
est edt et cst cdt ct mst mdt pst pdt pt gmt utc bst cet local
monday tuesday wednesday thursday friday saturday sunday
january february march april may june july august september october november december
""")

STARTERS = _words("""
the a an he she it they we you i this that these those his her its their our my there here
in on at by for from with after before during since until when while as if although though because however
but and or so yet then now also still meanwhile moreover despite under according both each every no not some many most
what who why how where which one two another other officials police people all only more about
ông bà anh chị em cô chú bác họ nó tôi chúng chúng tôi theo tại trong ngoài khi nếu tuy nhưng song do vì nên để từ đến với
sau trước ngày năm tháng tuần sáng trưa chiều tối đêm hôm hiện đây đó các những một hai ba mỗi mọi cả cũng còn và hoặc
đồng bên ngay dù mặc nhờ qua về vào trên dưới giữa không chưa đã đang sẽ được bị có là việc vụ cơ công nhà người
le la les l un une des du de il elle ils elles on nous vous je ce cet cette ces en dans mais et pour par avec sans selon après
avant der die das den dem des ein eine er sie es wir ich in im am an auf aus bei mit nach von zu und aber dann doch so wenn als
el los las una uno unos él ella ellos ellas y pero con sin según tras cuando como para por su sus este esta qué
ia dia mereka kami kita ini itu para pada di ke dari dan namun tetapi sementara untuk dengan saat setelah menurut
bu o ve ama ancak bir biz ben onlar şu için ile daha sonra
""")

# Languages that write ordinal numbers with a full stop: "3. März", "12. Bölge".
ORDINAL_LANGUAGES = _words("de tr fi da nb nn no cs sk hu et lv sl hr sr pl")

# Verbs that attach a speaker to the quotation before them: “Why?” Lan asked.
SPEECH = _words("""
nói hỏi đáp kể thốt reo bảo viết thưa khẳng định
said says asked asks added adds replied told shouted wrote recalled insisted explained
""")
