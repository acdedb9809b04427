"""Tells which markup of workbooks is usual (ECMA-376, part 1, 18): of their own part, their styles, strings and sheets.

What stands here is judged exactly elsewhere, such as fonts, or has no effect on what a reader sees of cells, such as
what is printed. A sheet with anything else may show other cells, or other texts in them.
"""

from __future__ import annotations

import re
from io import BytesIO

from lxml import etree
from openpyxl.utils.cell import coordinate_from_string

from tasks.inputs.office.usual_markup import UsualMarkup

_WORKBOOK = """
    workbook conformance Ignorable uid
    fileVersion appName lastEdited lowestEdited rupBuild codeName
    fileSharing readOnlyRecommended userName reservationPassword algorithmName hashValue saltValue spinCount
    workbookPr date1904 codeName defaultThemeVersion filterPrivacy dateCompatibility backupFile checkCompatibility \
        saveExternalLinkValues updateLinks hidePivotFieldList promptedSolutions autoCompressPictures \
        refreshAllConnections showBorderUnselectedTables showInkAnnotation allowRefreshQuery publishItems \
        showPivotChartFilter showObjects=all
    workbookProtection lockStructure lockWindows lockRevision workbookPassword workbookPasswordCharacterSet \
        workbookAlgorithmName workbookHashValue workbookSaltValue workbookSpinCount \
        revisionsPassword revisionsPasswordCharacterSet
    bookViews
    workbookView xWindow yWindow windowWidth windowHeight tabRatio firstSheet activeTab showHorizontalScroll \
        showVerticalScroll showSheetTabs minimized visibility autoFilterDateGrouping uid
    sheets
    sheet name sheetId state id
    functionGroups builtInGroupCount
    functionGroup name
    externalReferences
    externalReference id
    definedNames
    definedName name localSheetId hidden comment description function vbProcedure xlm functionGroupId shortcutKey help \
        statusBar customMenu publishToServer workbookParameter
    calcPr calcId calcMode iterate iterateCount iterateDelta refMode fullCalcOnLoad fullPrecision=1|true calcCompleted \
        calcOnSave concurrentCalc concurrentManualCount forceFullCalc
    customWorkbookViews
    customWorkbookView name guid autoUpdate mergeInterval changesSavedWin onlySync personalView includePrintSettings \
        includeHiddenRowCol maximized minimized showHorizontalScroll showVerticalScroll showSheetTabs xWindow yWindow \
        windowWidth windowHeight tabRatio activeSheetId showFormulaBar showStatusbar showComments showObjects
    pivotCaches
    pivotCache cacheId id
    webPublishing css thicket longFileNames vml allowPng targetScreenSize dpi codePage characterSet
    fileRecoveryPr autoRecover crashSave dataExtractLoad repairLoad
    extLst
    ext uri
"""
_STYLES = """
    styleSheet Ignorable uid
    numFmts count
    numFmt numFmtId formatCode sourceLinked
    fonts count knownFonts
    font
    name val=(?!(?i:.*(?:dings|symbol))).*
    family val
    charset val
    scheme val
    sz val
    b val
    i val
    u val
    strike val
    outline val
    shadow val
    condense val
    extend val
    vertAlign val
    color rgb theme tint indexed auto
    fills count
    fill
    patternFill patternType
    fgColor rgb theme tint indexed auto
    bgColor rgb theme tint indexed auto
    gradientFill type degree left right top bottom
    stop position
    borders count
    border diagonalUp=0|false diagonalDown=0|false outline
    left style
    right style
    start style
    end style
    top style
    bottom style
    diagonal style
    vertical style
    horizontal style
    cellStyleXfs count
    cellXfs count
    xf numFmtId fontId fillId borderId xfId quotePrefix pivotButton applyNumberFormat applyFont applyFill applyBorder \
        applyAlignment applyProtection
    alignment horizontal=general|left|center|right|justify|centerContinuous|distributed vertical wrapText shrinkToFit \
        indent=\\d|1[0-5] relativeIndent=0 textRotation=\\d{1,2}|1[0-7]\\d|180 justifyLastLine readingOrder
    protection locked hidden
    cellStyles count
    cellStyle name xfId builtinId iLevel hidden customBuiltin uid
    dxfs count
    dxf
    tableStyles count defaultTableStyle defaultPivotStyle
    tableStyle name count pivot table uid
    tableStyleElement type size dxfId
    colors
    indexedColors
    rgbColor rgb
    mruColors

    sst count uniqueCount
    si
    t space
    r
    rPr
    rFont val
    rPh sb eb
    phoneticPr fontId type alignment
"""
"""Elements of styles and of strings, many of which sheets have, too."""
_SHEET = """
    worksheet Ignorable uid
    sheetPr codeName filterMode published syncHorizontal syncVertical syncRef enableFormatConditionsCalculation \
        transitionEntry transitionEvaluation
    tabColor rgb theme tint indexed auto
    outlinePr summaryBelow summaryRight applyStyles showOutlineSymbols
    pageSetUpPr fitToPage autoPageBreaks
    dimension ref
    sheetViews
    sheetView workbookViewId tabSelected showGridLines showRowColHeaders showRuler showOutlineSymbols showWhiteSpace \
        showZeros showFormulas=0|false zoomScale=0|[3-9]\\d|[1-4]\\d\\d zoomScaleNormal zoomScaleSheetLayoutView \
        zoomScalePageLayoutView defaultGridColor colorId view topLeftCell=[A-Z]{1,3}[1-9]\\d{0,6} rightToLeft \
        windowProtection
    pane xSplit=\\d{1,6}(?:\\.\\d+)? ySplit=\\d{1,6}(?:\\.\\d+)? topLeftCell activePane state
    selection pane activeCell activeCellId sqref
    pivotSelection pane showHeader label data extendable count axis dimension start min max activeRow activeCol \
        previousRow previousCol click id
    pivotArea field type dataOnly labelOnly grandRow grandCol cacheIndex outline offset collapsedLevelsAreSubtotals \
        axis fieldPosition
    references count
    reference field count selected byPosition relative defaultSubtotal
    x v
    sheetFormatPr baseColWidth defaultColWidth defaultRowHeight customHeight zeroHeight thickTop thickBottom \
        outlineLevelRow outlineLevelCol dyDescent
    cols
    col min max width style hidden bestFit customWidth outlineLevel collapsed phonetic
    sheetData
    row r spans s customFormat ht hidden customHeight outlineLevel collapsed thickTop thickBot ph dyDescent
    c r s t cm ph
    f t ref si ca aca bx dt2D dtr r1 r2 del1 del2 space
    v space
    is
    sheetCalcPr fullCalcOnLoad=0|false
    sheetProtection password algorithmName hashValue saltValue spinCount sheet objects scenarios formatCells \
        formatColumns formatRows insertColumns insertRows insertHyperlinks deleteColumns deleteRows selectLockedCells \
        sort autoFilter pivotTables selectUnlockedCells
    protectedRanges
    protectedRange name sqref password algorithmName hashValue saltValue spinCount securityDescriptor
    scenarios current show sqref
    scenario name locked hidden count user comment
    inputCells r deleted undone val numFmtId
    autoFilter ref uid
    filterColumn colId hiddenButton showButton
    filters blank calendarType
    filter val
    dateGroupItem year month day hour minute second dateTimeGrouping
    top10 top percent val filterVal
    customFilters and
    customFilter operator val
    dynamicFilter type val valIso maxVal maxValIso
    colorFilter dxfId cellColor
    sortState ref caseSensitive columnSort sortMethod uid
    sortCondition ref descending sortBy customList dxfId
    dataConsolidate function leftLabels topLabels link startLabels
    mergeCells count
    mergeCell ref
    conditionalFormatting sqref pivot
    cfRule type dxfId priority stopIfTrue aboveAverage percent bottom operator text timePeriod rank stdDev equalAverage
    formula
    colorScale
    dataBar minLength maxLength showValue
    iconSet iconSet showValue percent reverse
    cfvo type val gte
    dataValidations count disablePrompts xWindow yWindow
    dataValidation type errorStyle imeMode operator allowBlank showDropDown showInputMessage showErrorMessage \
        errorTitle error promptTitle prompt sqref uid
    formula1
    formula2
    hyperlinks
    hyperlink ref id location tooltip display uid
    printOptions horizontalCentered verticalCentered headings gridLines gridLinesSet
    pageMargins left right top bottom header footer
    pageSetup paperSize paperHeight paperWidth scale firstPageNumber fitToWidth fitToHeight pageOrder orientation \
        usePrinterDefaults blackAndWhite draft cellComments useFirstPageNumber errors horizontalDpi verticalDpi \
        copies id
    headerFooter differentOddEven differentFirst scaleWithDoc alignWithMargins
    oddHeader space
    oddFooter space
    evenHeader space
    evenFooter space
    firstHeader space
    firstFooter space
    rowBreaks count manualBreakCount
    colBreaks count manualBreakCount
    brk id min max man pt
    customProperties
    customPr name id
    cellWatches
    cellWatch r
    ignoredErrors
    ignoredError sqref evalError twoDigitTextYear numberStoredAsText formula formulaRange unlockedFormula \
        emptyCellReference listDataValidation calculatedColumn
    drawing id
    legacyDrawing id
    legacyDrawingHF id
    tableParts count
    tablePart id
    extLst
    ext uri
"""
"""Elements of SpreadsheetML, whose values `UsualMarkup` describes.

Missing are those that draw on or behind the cells (`picture`, `oleObjects`, `controls`), values that newer programs
show instead (`vm`), and views that other people have of the sheet (`customSheetViews`).
"""
_NEWER = """
    conditionalFormattings
    conditionalFormatting
    cfRule type priority id stopIfTrue operator text aboveAverage percent bottom timePeriod rank stdDev equalAverage \
        activePresent
    dataBar minLength maxLength showValue border gradient direction negativeBarColorSameAsPositive \
        negativeBarBorderColorSameAsPositive axisPosition
    borderColor rgb theme tint indexed auto
    fillColor rgb theme tint indexed auto
    negativeFillColor rgb theme tint indexed auto
    negativeBorderColor rgb theme tint indexed auto
    axisColor rgb theme tint indexed auto
    colorScale
    color rgb theme tint indexed auto
    iconSet iconSet showValue percent reverse custom
    cfIcon iconSet iconId
    cfvo type gte
    dxf
    id
    dataValidations count disablePrompts xWindow yWindow
    dataValidation type errorStyle imeMode operator allowBlank showDropDown showInputMessage showErrorMessage \
        errorTitle error promptTitle prompt uid
    formula1
    formula2
    sparklineGroups
    sparklineGroup type displayEmptyCellsAs displayHidden displayXAxis markers high low first last negative lineWeight \
        dateAxis manualMax manualMin minAxisType maxAxisType rightToLeft uid
    colorSeries rgb theme tint indexed auto
    colorNegative rgb theme tint indexed auto
    colorAxis rgb theme tint indexed auto
    colorMarkers rgb theme tint indexed auto
    colorFirst rgb theme tint indexed auto
    colorLast rgb theme tint indexed auto
    colorHigh rgb theme tint indexed auto
    colorLow rgb theme tint indexed auto
    sparklines
    sparkline
    ignoredErrors
    ignoredError numberStoredAsText evalError formula formulaRange
    slicerList
    slicer id
    slicerCaches
    slicerCache id
    pivotCaches
    slicerStyles defaultSlicerStyle
    workbookPr defaultImageDpi chartTrackingRefBase discardImageEditData
"""
_NEWER_STILL = """
    workbookPr chartTrackingRefBase
    timelineStyles defaultTimelineStyle
    timelineRefs
    timelineRef id
    slicerCaches
    slicerCache id
"""
_EXTENSIONS = {
    "http://schemas.microsoft.com/office/spreadsheetml/2009/9/main": _NEWER,
    "http://schemas.microsoft.com/office/spreadsheetml/2010/11/main": """
        workbookPr chartTrackingRefBase
        timelineStyles defaultTimelineStyle
        timelineRefs
        timelineRef id
        timelineCacheRefs
        timelineCacheRef id
        slicerCaches
        slicerCache id
    """,
    "http://schemas.microsoft.com/office/excel/2006/main": """
        f
        sqref
    """,
}
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_USUAL_WORKBOOK = UsualMarkup(
    {
        **_EXTENSIONS,
        _MAIN: _WORKBOOK,
        "http://schemas.openxmlformats.org/markup-compatibility/2006": """
            AlternateContent
            Choice Requires
            Fallback
        """,
        "http://schemas.microsoft.com/office/spreadsheetml/2010/11/ac": "absPath url",
        "http://schemas.microsoft.com/office/spreadsheetml/2014/revision": """
            revisionPtr revIDLastSave documentId coauthVersionLast coauthVersionMax uidLastSave
        """,
        "http://schemas.microsoft.com/office/spreadsheetml/2018/calcfeatures": """
            calcFeatures
            feature name
        """,
        "http://schemas.microsoft.com/office/mac/excel/2008/main": "ArchID Flags",
        "http://schemas.libreoffice.org/": "extCalcPr stringRefSyntax",
        "http://customooxmlschemas.google.com/": "sheetsCustomData id roundtripDataSignature roundtripDataChecksum",
    }
)
_USUAL = UsualMarkup({**_EXTENSIONS, _MAIN: _STYLES + _SHEET})
_PLACES = {
    f"{{{_MAIN}}}{name}": tuple(f"{{{_MAIN}}}{parent}" for parent in parents)
    for name, *parents in (
        ("sheetFormatPr", "worksheet"),
        ("col", "cols", "worksheet"),
        ("row", "sheetData", "worksheet"),
        ("mergeCell", "mergeCells", "worksheet"),
        ("conditionalFormatting", "worksheet"),
    )
}
"""Elements that decide where cells are and which are seen, with those that have to hold them. Elsewhere, programs do
not look at them."""
_PLAIN_CELL = re.compile(
    rb'<c r="[A-Z]{1,3}\d{1,7}"(?: s="\d{1,6}")?(?: t="(?:[ns]|str|inlineStr)")?'
    rb'(?:/>|>(?:(?:<f(?: aca="false")?>[^<]*</f>)?<v>[^<]+</v>|<is><t>[^<]*</t></is>)</c>)'
)
"""Pattern of most cells, which are all usual."""
_PLAIN_ROW = re.compile(rb'<row r="\d{1,7}"(?: spans="\d{1,5}:\d{1,5}")?(?:/>|></row>)')
_NUMBERLESS_ROW = re.compile(rb"<row(?! r=)")
_PLAIN_STRING = re.compile(rb'<si><t(?: xml:space="preserve")?>[^<]*</t></si>')
_FROZEN = ("frozen", "frozenSplit")
_MOST_FROZEN = 30
"""A sheet with more frozen rows or columns may have the others out of sight."""


def parsed(xml: bytes) -> etree._Element:
    """Return the root of a part that is read whole."""
    return etree.parse(BytesIO(xml), etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)).getroot()


def without_plain_cells(xml: bytes, *, are_formulas_plain: bool = True) -> bytes:
    """Return a sheet without the cells that have nothing but a value, a style and perhaps a formula, to judge the
    others."""
    xml = _PLAIN_CELL.sub(b"" if are_formulas_plain else _kept_formula, xml)
    # Rows without a number follow the ones before them.
    return xml if _NUMBERLESS_ROW.search(xml) else _PLAIN_ROW.sub(b"", xml)


def _kept_formula(cell: re.Match[bytes]) -> bytes:
    return cell[0] if b"<f" in cell[0] else b""


def is_usual(element: etree._Element) -> bool:
    """True if a part of a sheet, and all in it, is usual and in its usual place."""
    place = _PLACES.get(element.tag)
    if place is not None and tuple(one.tag for one in element.iterancestors()) != place:
        return False
    if next(_USUAL.unusual(element), None) is not None:
        return False
    return not any(_is_stuck(view) for view in element.iter(f"{{{_MAIN}}}sheetView"))


def is_usual_workbook(root: etree._Element) -> bool:
    """True if a workbook's own part is usual."""
    return next(_USUAL_WORKBOOK.unusual(root), None) is None


def is_calculated_when_opened(root: etree._Element) -> bool:
    """True if programs calculate all formulas of a workbook again when they open it."""
    return any(one.get("fullCalcOnLoad") in ("1", "true") for one in root.iter("{*}calcPr"))


def are_usual_strings(xml: bytes) -> bool:
    """True if all strings that cells share are usual."""
    return is_usual(parsed(_PLAIN_STRING.sub(b"", xml)))


def unusual_styles(xml: bytes) -> frozenset[int] | None:
    """Return the numbers of the styles of cells that are not usual; None if something else of the styles is not."""
    root = parsed(xml)
    parts = {"fontId": "fonts", "fillId": "fills", "borderId": "borders", "xfId": "cellStyleXfs"}
    unusual = {attribute: _unusual_parts(root, name) for attribute, name in parts.items()}
    styles = _unusual_parts(root, "cellXfs")
    for number, style in enumerate(root.iterfind(f"{{{_MAIN}}}cellXfs/{{{_MAIN}}}xf")):
        if any(int(style.get(attribute, 0)) in numbers for attribute, numbers in unusual.items()):
            styles.add(number)
    return frozenset(styles) if is_usual(root) else None


def _unusual_parts(root: etree._Element, name: str) -> set[int]:
    """Remove the content of the parts of styles that are not usual, and return their numbers."""
    numbers = set()
    for number, part in enumerate(root.iterfind(f"{{{_MAIN}}}{name}/*")):
        if not is_usual(part):
            numbers.add(number)
            part.clear()
    return numbers


def _is_stuck(view: etree._Element) -> bool:
    """True if some cells of a sheet may never come into view, because those before them, or they themselves, are frozen
    out of sight."""
    pane = view.find(f"{{{_MAIN}}}pane")
    if pane is None or pane.get("state") not in _FROZEN:
        return False
    column, row = coordinate_from_string(view.get("topLeftCell", "A1"))
    return any(
        float(pane.get(split, 0)) > (_MOST_FROZEN if first else 0)
        for split, first in (("xSplit", column == "A"), ("ySplit", row == 1))
    )
